"""The only SQL of the feature."""
