from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from emoji_gallery.kit.database import Database
from emoji_gallery.user_emojis.store import quotas
from emoji_gallery.user_emojis.store.quotas import Quota
from tests.user_emojis.world import ALICE, BOB

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def take(db: Database, limit: int | None) -> bool:
    async with db.transaction() as tx:
        return await quotas.take(tx, ALICE, limit)


async def kept(db: Database) -> Quota:
    async with db.reading() as connection:
        return await quotas.read(connection, ALICE)


async def test_slots_are_taken_up_to_the_limit(db: Database) -> None:
    assert [await take(db, 2) for _ in range(3)] == [True, True, False]
    assert await kept(db) == Quota(used=2, listed=2)


async def test_not_even_the_first_slot_is_free_under_a_limit_of_zero(db: Database) -> None:
    assert await take(db, 0) is False
    assert await kept(db) == Quota(used=0, listed=0)


async def test_without_a_limit_there_is_always_a_slot(db: Database) -> None:
    assert all([await take(db, None) for _ in range(3)])


async def test_no_more_can_be_given_back_than_was_taken(db: Database) -> None:
    await take(db, None)
    with pytest.raises(IntegrityError):
        async with db.transaction() as tx:
            await quotas.give_back(tx, ALICE, used=2, listed=0)
    assert await kept(db) == Quota(used=1, listed=1)


async def test_only_who_has_nothing_is_forgotten(db: Database) -> None:
    await take(db, None)
    async with db.transaction() as tx:
        await quotas.forget_if_empty(tx, ALICE)
        await quotas.forget_if_empty(tx, BOB)
    assert await kept(db) == Quota(used=1, listed=1)
