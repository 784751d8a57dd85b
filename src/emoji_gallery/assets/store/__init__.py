"""The only SQL of the feature. Digests are always taken in order, so that no two wait in a ring."""
