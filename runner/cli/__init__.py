"""The command line: one module a verb; the only prints, prompts and exits of the tree."""
