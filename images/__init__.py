"""The lab: images of real products in real versions, for the tests and the demo; no part of the installed product."""
