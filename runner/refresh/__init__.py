"""Refresh of configuration: new defaults in, local changes kept; it never writes outside the tree it is given.

    look ──► settle (decide, merge, ask) ──► Settlement ──► apply ──► report

Everything is settled, every question answered, before the first byte is written; then all of it happens, or nothing.
``decide`` and ``settle`` work on pictures of trees; only ``apply`` and ``undo`` write, only ``root`` opens a path.
"""
