from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from emoji_gallery.kit.database import DatabaseSettings, connect
from emoji_gallery.kit.errors import UnauthenticatedError
from emoji_gallery.user_emojis.service.browse import BrowseEmojis
from emoji_gallery.user_emojis.service.slots import owner_of
from emoji_gallery.user_emojis.service.view import EmojiViews
from emoji_gallery.user_emojis.store import emojis as emoji_store
from tests.user_emojis import pictures
from tests.user_emojis.world import World, uuid_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_waiting_outlives_a_database_that_is_away(world: World, tmp_path: Path) -> None:
    emoji_id = uuid_of(await world.keep(pictures.png()))
    async with world.db.reading() as connection:
        emoji = await emoji_store.find_living(connection, emoji_id)
    assert emoji is not None
    views = EmojiViews(world.assets)
    nowhere = f"postgresql+asyncpg://nobody@/none?host={tmp_path}"
    away = connect(DatabaseSettings(database_url=nowhere), application_name="tests")
    view = views.full(emoji)
    browse = BrowseEmojis(away, views)
    assert await browse.settled(view, within=timedelta(seconds=0.1)) == view
    await away.close()


async def test_nobody_in_particular_owns_nothing(world: World) -> None:
    visitor = await world.identities.authenticate(None, None)
    with pytest.raises(UnauthenticatedError):
        owner_of(visitor)
