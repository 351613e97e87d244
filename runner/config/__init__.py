"""refloat.yaml: what people decide once about their targets; it holds no step and knows no engine."""
