"""Technical parts that know nothing of emojis: database, cache, limiter, storage, queue."""
