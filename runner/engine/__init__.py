"""The container engine: the port in our words, the real one behind it, and one in memory; it decides nothing."""
