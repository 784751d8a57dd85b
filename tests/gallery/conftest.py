"""These tests share one event loop, because children belong to the loop that starts them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from emoji_gallery.kit.database import Database, DatabaseSettings, connect
from emoji_gallery.kit.objects import StorageSettings, open_store
from emoji_gallery.media.pool import Bounds
from emoji_gallery.media.renderer import Renderer
from tests.gallery.packs import sample_of_openmoji
from tests.gallery.stage import Gallery
from tests.parts import Parts


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def renderer() -> AsyncIterator[Renderer]:
    """Children that measure, started once."""
    async with Renderer(Bounds(children=2)) as renderer:
        yield renderer


@pytest.fixture(scope="session")
def shared_database_url(parts: Parts) -> Iterator[str]:
    """One database for these tests: emptying it is much faster than making another."""
    with parts.fresh_database() as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool(shared_database_url: str) -> AsyncIterator[Database]:
    """Connections to it."""
    settings = DatabaseSettings(database_url=shared_database_url, database_pool_size=8)
    pool = connect(settings, application_name="tests")
    yield pool
    await pool.close()


@pytest_asyncio.fixture(loop_scope="session")
async def gallery(pool: Database, renderer: Renderer, tmp_path: Path) -> Gallery:
    """A process whose gallery is empty."""
    async with pool.transaction() as tx:
        await tx.execute(
            text(
                "TRUNCATE gallery.packs, gallery.shelves, gallery.words, assets.assets, "
                "assets.guards CASCADE"
            )
        )
    objects = open_store(StorageSettings(storage_url="memory:"), tmp_path)
    return Gallery(pool, objects, renderer, tmp_path)


@pytest.fixture(scope="session")
def sample_database_url(parts: Parts) -> Iterator[str]:
    """Another database, which stays as it is once the sample is in it."""
    with parts.fresh_database() as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sample(
    sample_database_url: str, renderer: Renderer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gallery]:
    """A process with a part of the in-house pack, for tests that change nothing."""
    folder = tmp_path_factory.mktemp("sample")
    pool = connect(DatabaseSettings(database_url=sample_database_url), application_name="tests")
    objects = open_store(StorageSettings(storage_url="memory:"), folder)
    gallery = Gallery(pool, objects, renderer, folder)
    report = await gallery.importer.run(sample_of_openmoji(folder))
    assert not report.faults
    yield gallery
    await pool.close()
