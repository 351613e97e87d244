"""The tests; each folder says in its conftest what its tests need."""
