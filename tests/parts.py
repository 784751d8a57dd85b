"""Real PostgreSQL and Valkey for the tests: one pair a pytest process, clean for each test.

Each pytest process (each worker of pytest-xdist too) starts its own pair when the first test
asks for it: sockets in a folder of its own, so that runs side by side never meet. The schema
is migrated once, into a template; a test's database is a copy of the template's files.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
import redis
import redis.asyncio

from emoji_gallery.embedded.account import server_account
from emoji_gallery.embedded.parts import EmbeddedParts, embedded_parts
from emoji_gallery.embedded.postgres import PostgresServer
from emoji_gallery.embedded.reach import first_closed
from emoji_gallery.embedded.valkey import ValkeyServer
from emoji_gallery.kit.database import Database, DatabaseSettings, connect
from emoji_gallery.kit.migrations import migrate

_TEMPLATE: Final = "migrated"


@dataclass(frozen=True)
class Parts:
    """The running pair, and the loop in which the fixtures work on it between tests."""

    servers: EmbeddedParts
    runner: asyncio.Runner
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """The address of a migrated, empty database that is gone after the block."""
        name = f"test_{next(self._numbers)}"
        postgres = self.servers.postgres
        self.runner.run(postgres.create_database(name, template=_TEMPLATE))
        try:
            yield postgres.url(name)
        finally:
            self.runner.run(postgres.drop_database(name))


@contextmanager
def server_folder() -> Iterator[Path]:
    """A temporary folder that the servers' account reaches, unlike pytest's own for root."""
    places = (tempfile.gettempdir(), "/tmp", "/var/tmp")  # noqa: S108 - mkdtemp makes it ours
    place = next(place for place in map(Path, places) if _is_reachable(place))
    folder = Path(tempfile.mkdtemp(prefix="emoji-gallery-test-", dir=place))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def parts() -> Iterator[Parts]:
    """PostgreSQL and Valkey with the migrated template; stopped when the process is done."""
    with ExitStack() as stack:
        folder = stack.enter_context(server_folder())
        runner = stack.enter_context(asyncio.Runner())
        context = embedded_parts(folder / "data", durability="fast")
        servers = runner.run(context.__aenter__())
        stack.callback(lambda: runner.run(context.__aexit__(None, None, None)))
        runner.run(_make_template(servers))
        yield Parts(servers, runner)


@pytest.fixture
def database_url(parts: Parts) -> Iterator[str]:
    """A migrated, empty database of this test alone, for SQLAlchemy with asyncpg."""
    with parts.fresh_database() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool of connections to the test's database."""
    settings = DatabaseSettings(database_url=database_url)
    pool = connect(settings, application_name="tests")
    yield pool
    await pool.close()


@pytest.fixture
def own_postgres(parts: Parts) -> Iterator[PostgresServer]:
    """A migrated server to stop and start: other tests hold on to connections of the shared one."""
    with server_folder() as folder:
        context = embedded_parts(folder / "data", durability="fast")
        servers = parts.runner.run(context.__aenter__())
        parts.runner.run(_migrate(servers.postgres.url()))
        yield servers.postgres
        parts.runner.run(context.__aexit__(None, None, None))


@pytest.fixture
def valkey(parts: Parts) -> Iterator[ValkeyServer]:
    """The server itself, empty; a test may stop it, and start it again on the same address."""
    server = parts.servers.valkey
    with redis.Redis.from_url(server.url()) as client:
        client.flushall()
        client.script_flush()
    yield server
    if not server.running:
        parts.runner.run(server.start())


@pytest.fixture
def redis_url(valkey: ValkeyServer) -> str:
    """An empty Valkey of this test alone, for redis-py."""
    return valkey.url()


@pytest.fixture
async def redis_client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of the test's Valkey."""
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield client


async def _make_template(servers: EmbeddedParts) -> None:
    await servers.postgres.create_database(_TEMPLATE)
    await _migrate(servers.postgres.url(_TEMPLATE))


async def _migrate(url: str) -> None:
    pool = connect(DatabaseSettings(database_url=url), application_name="tests")
    await migrate(pool)
    await pool.close()


def _is_reachable(place: Path) -> bool:
    account = server_account(place / "none")
    return place.is_dir() and first_closed(place.resolve(), account) is None
