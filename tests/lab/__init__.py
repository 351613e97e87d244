"""Tests of the lab itself: the private engine and the images."""
