"""These tests share one event loop, because children belong to the loop that starts them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from obstore.store import MemoryStore
from sqlalchemy import text

from emoji_gallery.assets.models import metadata as assets_metadata
from emoji_gallery.kit.database import Database, DatabaseSettings, connect
from emoji_gallery.kit.local_limiter import LocalLimiter
from emoji_gallery.kit.objects import ObjectStore
from emoji_gallery.kit.redis_gate import RedisGate, RedisSettings, open_gate
from emoji_gallery.kit.redis_limiter import RedisLimiter
from emoji_gallery.media.pool import Bounds
from emoji_gallery.media.renderer import Renderer
from emoji_gallery.user_emojis.models import metadata
from tests.parts import Parts
from tests.user_emojis.world import World

# Everything that these tests write to.
_FILLED: Final = (
    *(table.fullname for table in reversed(metadata.sorted_tables)),
    *(table.fullname for table in reversed(assets_metadata.sorted_tables)),
    "accounts.users",
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def renderer() -> AsyncIterator[Renderer]:
    """Children that measure and draw, started once."""
    async with Renderer(Bounds(children=2)) as renderer:
        yield renderer


@pytest_asyncio.fixture(loop_scope="session")
async def gate(redis_url: str) -> AsyncIterator[RedisGate]:
    gate = open_gate(RedisSettings(redis_url=redis_url, redis_timeout_ms=2000))
    yield gate
    await gate.close()


@pytest.fixture(scope="session")
def shared_database_url(parts: Parts) -> Iterator[str]:
    """One database for all these tests: emptying it is much faster than making another."""
    with parts.fresh_database() as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_db(shared_database_url: str) -> AsyncIterator[Database]:
    settings = DatabaseSettings(database_url=shared_database_url, database_pool_size=16)
    pool = connect(settings, application_name="tests")
    yield pool
    await pool.close()


@pytest_asyncio.fixture(loop_scope="session")
async def db(shared_db: Database) -> Database:
    """The database as the migrations left it."""
    async with shared_db.transaction() as tx:
        for table in _FILLED:
            await tx.execute(text(f"DELETE FROM {table}"))  # noqa: S608 (names of our own)
    return shared_db


@pytest_asyncio.fixture(loop_scope="session")
async def world(
    db: Database, renderer: Renderer, gate: RedisGate, tmp_path: Path
) -> AsyncIterator[World]:
    """A process that serves; its tasks wait until the test lets them run."""
    objects = ObjectStore(MemoryStore(), timeout=timedelta(seconds=10))
    limiter = RedisLimiter(gate, LocalLimiter(replicas=1))
    world = World(db, objects, renderer, limiter, tmp_path)
    async with world.running():
        yield world
