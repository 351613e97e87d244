"""refloat: rehearses, applies and rolls back the upgrade of a container and its data."""
