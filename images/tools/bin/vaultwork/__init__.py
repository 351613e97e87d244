"""The work inside a tools container: list, copy, seal, verify and restore trees; it never talks to an engine."""
