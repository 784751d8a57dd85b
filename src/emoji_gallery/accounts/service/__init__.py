"""Use cases: authenticate a caller; read, change and erase users; keys; tiers."""
