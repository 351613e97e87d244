"""YAML texts as frozen models: every mistake with file, line, path and the nearest key; nothing here opens a file."""
