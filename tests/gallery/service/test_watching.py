from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from emoji_gallery.gallery.service.watching import CatalogueWatch
from emoji_gallery.kit.database import Database, DatabaseSettings, connect
from tests.gallery.stage import Gallery
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def nowhere() -> AsyncIterator[Database]:
    """A database that does not answer."""
    url = "postgresql+asyncpg://nobody@127.0.0.1:1/none"
    pool = connect(DatabaseSettings(database_url=url), application_name="tests")
    yield pool
    await pool.close()


async def test_a_watch_follows_what_others_change(gallery: Gallery) -> None:
    watch = CatalogueWatch(gallery.db)
    async with watch.watching():
        first = await eventually(lambda: watch.version, within=5)
        await gallery.rows("UPDATE gallery.catalogue SET version = version + 1")
        await eventually(lambda: watch.version == first + 1, within=1)


async def test_a_watch_goes_on_while_the_database_is_away_and_says_so_once(
    nowhere: Database,
) -> None:
    watch = CatalogueWatch(nowhere)
    with capture_logs() as logs:
        async with watch.watching():
            await eventually(lambda: len(logs) > 0, within=5)
    assert [entry["event"] for entry in logs] == ["catalogue.unwatched"]
    assert watch.version == 0
