"""Alembic's entry point: applies the history to the database that the caller names."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

# A migration waits this long for a lock and then gives up, instead of queueing every query
# of the running service behind itself.
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "15min"


def _migrate(connection: Connection) -> None:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
    connection.commit()
    context.configure(
        connection=connection,
        version_table_schema="public",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_migrate(context.config.attributes["connection"])
