"""The crash sweep: every call and every journal line of a run fails in every way, and the run still ends old or new."""
