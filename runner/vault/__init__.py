"""The vault: sealed snapshots of a target's data, clones of them, and the papers of a run; it never decides a step."""
