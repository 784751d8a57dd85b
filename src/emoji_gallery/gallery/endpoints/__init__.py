"""`/gallery`: the in-house emojis."""
