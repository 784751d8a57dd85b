"""Identity: tokens, API keys, users, tiers, erasure."""
