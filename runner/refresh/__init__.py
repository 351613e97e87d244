"""Refresh of configuration: new defaults in, local changes kept; it never writes outside the tree it is given.

    look ──► settle (decide, merge, ask) ──► Settlement ──► apply ──► report

Everything is settled, every question answered, before the first byte is written; then all of it happens, or nothing.
``decide`` and ``settle`` work on pictures of trees; only ``apply`` and ``undo`` write, only ``root`` opens a path.
``run`` does it on plain directories. ``remote`` does it on a target's data, in the tools container, to which this
package is sent as it is: it imports the standard library and runner.errors alone.
"""
