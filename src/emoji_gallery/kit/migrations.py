"""Brings a database to the newest schema with Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from emoji_gallery.kit.database import Database

# Any number that no other program locks on this database.
_LOCK_ID: Final = 7_301_942_655


def script_location() -> Path:
    """The folder of the migrations: beside `src` in a checkout, inside the package if installed."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parents[1] / "migrations"


def newest_revision() -> str:
    """The revision that `migrate` goes to."""
    head = ScriptDirectory(str(script_location())).get_current_head()
    if head is None:
        message = f"no migrations in {script_location()}"
        raise LookupError(message)
    return head


async def migrate(database: Database) -> None:
    """Apply what is missing; processes that start together wait for one of them."""
    async with database.engine.connect() as connection:
        await connection.execute(text(f"SELECT pg_advisory_lock({_LOCK_ID})"))
        await connection.commit()
        try:
            await connection.run_sync(_upgrade)
        finally:
            await connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK_ID})"))
            await connection.commit()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(script_location()))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
