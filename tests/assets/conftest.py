"""Assets' tests share one event loop, because children belong to the loop that starts them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from emoji_gallery.kit.database import Database, DatabaseSettings, connect
from emoji_gallery.kit.objects import FolderObjectStore, StorageSettings, open_store
from emoji_gallery.media.pool import Bounds
from emoji_gallery.media.renderer import Renderer
from tests.assets.stage import Stage
from tests.parts import Parts


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def renderer() -> AsyncIterator[Renderer]:
    """Children that draw, started once."""
    async with Renderer(Bounds(children=2)) as renderer:
        yield renderer


@pytest.fixture(scope="session")
def shared_database_url(parts: Parts) -> Iterator[str]:
    """One database for all tests here, because a pool belongs to one loop as well."""
    with parts.fresh_database() as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool(shared_database_url: str) -> AsyncIterator[Database]:
    """Connections, and a schema that refers to assets."""
    settings = DatabaseSettings(database_url=shared_database_url, database_pool_size=8)
    pool = connect(settings, application_name="tests")
    async with pool.transaction() as tx:
        await tx.execute(text("CREATE SCHEMA keeper"))
        await tx.execute(text("CREATE TABLE keeper.kept (digest text NOT NULL)"))
        await tx.execute(
            text("CREATE VIEW keeper.asset_references AS SELECT digest FROM keeper.kept")
        )
    yield pool
    await pool.close()


@pytest_asyncio.fixture(loop_scope="session")
async def db(pool: Database) -> Database:
    """The database without any asset."""
    async with pool.transaction() as tx:
        await tx.execute(
            text("TRUNCATE assets.assets, assets.renditions, assets.guards, keeper.kept")
        )
    return pool


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjectStore:
    """Storage in a folder."""
    store = open_store(StorageSettings(), tmp_path)
    assert isinstance(store, FolderObjectStore)
    return store


@pytest_asyncio.fixture(loop_scope="session")
async def stage(
    db: Database, objects: FolderObjectStore, renderer: Renderer, tmp_path: Path
) -> AsyncIterator[Stage]:
    """One process of assets."""
    stage = Stage(db, objects, renderer, tmp_path)
    async with stage.running():
        yield stage
