"""Compose files: where a service has its image, and the one change that names another; nothing here does I/O."""
