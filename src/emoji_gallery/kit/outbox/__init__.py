"""Tasks in PostgreSQL: the outbox table is the queue (faststream-outbox)."""
