"""The tables that the code states are those that the migrations make."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from emoji_gallery.accounts.models import metadata as accounts
from emoji_gallery.assets.models import metadata as assets
from emoji_gallery.gallery.models import metadata as gallery
from emoji_gallery.kit.database import Database
from emoji_gallery.user_emojis.models import metadata as user_emojis


@pytest.mark.parametrize(
    "metadata", [accounts, assets, gallery, user_emojis], ids=lambda metadata: metadata.schema
)
async def test_models_match_the_migrated_database(database: Database, metadata: MetaData) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == metadata.schema,
            "compare_server_default": True,
        }
        return list(
            compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        )

    async with database.reading() as connection:
        assert await connection.raw.run_sync(differences) == []
