"""What owners do with their emojis after the upload: rename, delete, restore."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from emoji_gallery.contracts.identity import Actor
from emoji_gallery.contracts.ids import UserEmojiId, UserId
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database, WriteConnection
from emoji_gallery.kit.errors import InvalidInputError, NotFoundError
from emoji_gallery.kit.queue import Queue
from emoji_gallery.kit.turns import Turns
from emoji_gallery.user_emojis.models import Status, UserEmoji
from emoji_gallery.user_emojis.rules.names import checked_name
from emoji_gallery.user_emojis.rules.retention import RESTORABLE_FOR, restorable_limit
from emoji_gallery.user_emojis.rules.tags import checked_tags
from emoji_gallery.user_emojis.service.follow_up import publish_processing
from emoji_gallery.user_emojis.service.slots import Owner, owner_of, take_slot
from emoji_gallery.user_emojis.service.view import EmojiView, EmojiViews
from emoji_gallery.user_emojis.store import emojis as emoji_store
from emoji_gallery.user_emojis.store import quotas as quota_store

KeepView = Callable[[WriteConnection, EmojiView], Awaitable[None]]


@dataclass(frozen=True)
class ChangeEmojis:
    """Changes what the caller owns; raises `NotFoundError` for everything else."""

    db: Database
    queue: Queue
    views: EmojiViews
    turns: Turns
    clock: Clock

    async def describe(
        self,
        actor: Actor,
        emoji_id: UserEmojiId,
        *,
        name: str | None,
        tags: Sequence[str] | None,
    ) -> EmojiView:
        """Give an emoji another name, other tags or both.

        Raises `InvalidNameError`, `InvalidTagsError`, `InvalidInputError` for neither.
        """
        if name is None and tags is None:
            raise InvalidInputError("Give a name, tags or both.")
        owner = owner_of(actor)
        new_name = None if name is None else checked_name(name)
        new_tags = None if tags is None else checked_tags(tags)
        async with self.db.transaction() as tx:
            await _living(tx, owner.id, emoji_id)
            emoji = await emoji_store.describe(
                tx, emoji_id, name=new_name, tags=new_tags, now=self.clock()
            )
        return self.views.full(emoji)

    async def delete(self, actor: Actor, emoji_id: UserEmojiId) -> None:
        """Take an emoji off the list and give its slot back; it stays restorable for a while.

        A rejected one has nothing to restore, and is gone for good.
        """
        owner = owner_of(actor)
        async with self.turns.of(owner.id), self.db.transaction() as tx:
            await emoji_store.lock_owner(tx, owner.id)
            emoji = await _living(tx, owner.id, emoji_id)
            if emoji.status is Status.REJECTED:
                await emoji_store.remove(tx, emoji_id)
                await quota_store.give_back(tx, owner.id, used=0, listed=1)
                return
            await emoji_store.delete_softly(tx, emoji_id, now=self.clock())
            await quota_store.give_back(tx, owner.id, used=1, listed=1)
            await emoji_store.remove_oldest_deleted(tx, owner.id, keep=restorable_limit(owner.tier))

    async def restore(self, actor: Actor, emoji_id: UserEmojiId, *, keep: KeepView) -> EmojiView:
        """Put a deleted emoji back on the list; one that is on it stays as it is.

        `keep` stores what is answered, in the same transaction. Raises `UploadLimitReachedError`,
        `NotFoundError` when the emoji is past restoring, and whatever `keep` raises.
        """
        owner = owner_of(actor)
        async with self.turns.of(owner.id), self.db.transaction() as tx:
            await emoji_store.lock_owner(tx, owner.id)
            emoji = await emoji_store.find_owned(tx, owner.id, emoji_id)
            view = self.views.full(await self._restored(tx, owner, emoji))
            await keep(tx, view)
        return view

    async def _restored(
        self, tx: WriteConnection, owner: Owner, emoji: UserEmoji | None
    ) -> UserEmoji:
        if emoji is None:
            raise NotFoundError
        if emoji.deleted_at is None:
            return emoji
        now = self.clock()
        if emoji.deleted_at < now - RESTORABLE_FOR:
            raise NotFoundError
        await take_slot(tx, owner)
        if emoji.status is Status.PROCESSING:
            await publish_processing(tx, self.queue, emoji.id)
        return await emoji_store.undelete(tx, emoji.id, now=now)


async def _living(tx: WriteConnection, owner_id: UserId, emoji_id: UserEmojiId) -> UserEmoji:
    emoji = await emoji_store.find_owned(tx, owner_id, emoji_id)
    if emoji is None or emoji.deleted_at is not None:
        raise NotFoundError
    return emoji
