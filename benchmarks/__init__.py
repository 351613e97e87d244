"""Measurements on the real engine; no part of the installed product, and nothing here asserts a time."""
