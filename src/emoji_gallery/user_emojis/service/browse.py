"""Reading: the list of a user, one emoji, and what the caller may still upload."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final

from emoji_gallery.contracts.identity import Actor
from emoji_gallery.contracts.ids import UserEmojiId, UserId
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import NotFoundError, UnavailableError
from emoji_gallery.user_emojis.models import Status
from emoji_gallery.user_emojis.service.slots import Owner, owner_of
from emoji_gallery.user_emojis.service.view import EmojiView, EmojiViews
from emoji_gallery.user_emojis.store import emojis as emoji_store
from emoji_gallery.user_emojis.store import quotas as quota_store

_FIRST_LOOK_SECONDS: Final = 0.03
_LONGEST_PAUSE_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class EmojiPage:
    """A part of a user's list; `last` is the id to go on after, None at the end."""

    items: Sequence[EmojiView]
    total: int
    last: UserEmojiId | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a user may do, and how many slots are taken."""

    owner: Owner
    used: int


@dataclass(frozen=True)
class BrowseEmojis:
    """What may be read of uploads, by whom."""

    db: Database
    views: EmojiViews

    async def page(
        self, actor: Actor, owner_id: UserId, *, after: UserEmojiId | None, limit: int
    ) -> EmojiPage:
        """A user's emojis, newest first; raises `NotFoundError` for those who may not ask."""
        if not actor.may_read_user(owner_id):
            raise NotFoundError
        async with self.db.reading() as connection:
            rows = await emoji_store.newest_first(
                connection, owner_id, before=after, limit=limit + 1
            )
            quota = await quota_store.read(connection, owner_id)
        shown = rows[:limit]
        return EmojiPage(
            items=[self.views.listed(row) for row in shown],
            total=quota.listed,
            last=shown[-1].id if len(rows) > limit else None,
        )

    async def get(self, actor: Actor, emoji_id: UserEmojiId) -> EmojiView:
        """One emoji; raises `NotFoundError` for a deleted one, and for those who may not ask."""
        async with self.db.reading() as connection:
            emoji = await emoji_store.find_living(connection, emoji_id)
        if emoji is None or not actor.may_read_user(emoji.owner_id):
            raise NotFoundError
        return self.views.full(emoji)

    async def settled(self, view: EmojiView, *, within: timedelta) -> EmojiView:
        """The emoji as soon as it is no longer being processed, or as it was last seen in time."""
        deadline = monotonic() + within.total_seconds()
        pause = _FIRST_LOOK_SECONDS
        while view.emoji.status is Status.PROCESSING and monotonic() < deadline:
            await asyncio.sleep(min(pause, deadline - monotonic()))
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
            seen = await self._look_again(view)
            if seen is None:
                break
            view = seen
        return view

    async def standing(self, actor: Actor) -> Standing:
        """The caller's tier and use; raises `UnauthenticatedError` for an anonymous one."""
        owner = owner_of(actor)
        async with self.db.reading() as connection:
            quota = await quota_store.read(connection, owner.id)
        return Standing(owner=owner, used=quota.used)

    async def _look_again(self, view: EmojiView) -> EmojiView | None:
        """What became of an emoji; None when it is gone, the same when that cannot be told.

        The emoji was answered for already, so that nothing that happens here is an error.
        """
        try:
            async with self.db.reading() as connection:
                emoji = await emoji_store.find_living(connection, view.emoji.id)
        except UnavailableError:
            return view
        return None if emoji is None else self.views.full(emoji)
