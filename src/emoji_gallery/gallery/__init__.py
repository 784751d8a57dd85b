"""The in-house emojis: packs, categories, order, tiers and search."""
