"""The products: one YAML of facts each, the model they follow and the loader that reads them."""
