"""Accepts an upload: everything that is decided between the first byte and the commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import structlog

from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.identity import Actor, Tier
from emoji_gallery.contracts.ids import Digest, UserEmojiId
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database, WriteConnection
from emoji_gallery.kit.errors import ProblemError, UnauthenticatedError, UnavailableError
from emoji_gallery.kit.limiter import Limiter
from emoji_gallery.kit.queue import Queue
from emoji_gallery.kit.turns import Turns
from emoji_gallery.media.errors import (
    ImageRejectedError,
    Rejection,
    RendererUnavailableError,
    UnsupportedMediaError,
)
from emoji_gallery.media.renderer import Renderer
from emoji_gallery.media.types import Limits, Probe
from emoji_gallery.user_emojis.errors import ImageRefusedError, UnsupportedFormatError
from emoji_gallery.user_emojis.models import Status, UserEmoji
from emoji_gallery.user_emojis.ports import IncomingUpload
from emoji_gallery.user_emojis.rules.names import checked_name, name_of_file
from emoji_gallery.user_emojis.rules.tags import checked_tags
from emoji_gallery.user_emojis.service.follow_up import publish_processing
from emoji_gallery.user_emojis.service.receive import Received, receive
from emoji_gallery.user_emojis.service.slots import (
    Owner,
    owner_of,
    refuse_without_slot,
    take_slot,
)
from emoji_gallery.user_emojis.service.spool import Spool
from emoji_gallery.user_emojis.service.view import EmojiView, EmojiViews
from emoji_gallery.user_emojis.store import emojis as emoji_store
from emoji_gallery.user_emojis.store import erasures

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SpooledUpload:
    """A file in the spool, whose it is to be, and as what since when it was asked for.

    The id is as old as the time, so that lists by id are lists by time.
    """

    owner: Owner
    emoji_id: UserEmojiId
    asked_at: datetime
    path: Path
    received: Received


@dataclass(frozen=True, slots=True)
class Accepted:
    """The emoji of an upload: a new or revived one, or one that was there and is no newer."""

    view: EmojiView
    is_new: bool


# Stores what is answered, in the transaction that makes it true.
KeepAccepted = Callable[[WriteConnection, Accepted], Awaitable[None]]


@dataclass(frozen=True)
class UploadEmoji:
    """Takes uploads in. A refused one keeps nothing and takes no slot."""

    db: Database
    assets: Assets
    renderer: Renderer
    queue: Queue
    limiter: Limiter
    turns: Turns
    spool: Spool
    views: EmojiViews
    clock: Clock
    make_id: Callable[[], UUID]

    @asynccontextmanager
    async def receiving(
        self, actor: Actor, incoming: IncomingUpload
    ) -> AsyncIterator[SpooledUpload]:
        """Read the body and lend the file; raises what `receive` does.

        Nobody uploads while the limits cannot be counted: `UnavailableError`.
        """
        owner = owner_of(actor)
        emoji_id, asked_at = UserEmojiId(self.make_id()), self.clock()
        if not self.limiter.available:
            raise UnavailableError("Uploads are closed for a moment.", retry_after=5)
        async with self.spool.file() as file:
            received = await receive(incoming, file, cap=owner.tier.max_file_bytes)
            yield SpooledUpload(owner, emoji_id, asked_at, file.path, received)

    async def accept(self, upload: SpooledUpload, *, keep: KeepAccepted) -> Accepted:
        """Make the file an emoji, unless the owner has it already.

        Raises `InvalidNameError`, `InvalidTagsError`, `UnsupportedFormatError`,
        `ImageRefusedError`, `UploadLimitReachedError`, `StorageFullError`, `UnavailableError`, and
        whatever `keep` raises.
        """
        draft = await self._examined(upload)
        await self._refuse_without_slot(upload)
        await self.assets.ingest(upload.path, digest=draft.digest)
        try:
            async with self.turns.of(upload.owner.id), self.db.transaction() as tx:
                accepted = await self._settle(tx, upload, draft)
                await self.assets.register(tx, draft.digest, draft.probe, size=draft.bytes)
                await keep(tx, accepted)
        except BaseException:
            await asyncio.shield(self._take_back(upload.owner, draft.digest))
            raise
        log.info(
            "upload.accepted",
            emoji_id=str(accepted.view.emoji.id),
            format=draft.probe.format,
            bytes=draft.bytes,
            is_new=accepted.is_new,
        )
        return accepted

    async def _examined(self, upload: SpooledUpload) -> UserEmoji:
        """The emoji that this will be if nothing speaks against it."""
        received = upload.received
        name = None if received.name is None else checked_name(received.name)
        tags = checked_tags(received.tags)
        if received.size == 0:
            raise ImageRefusedError(Rejection.EMPTY)
        probe = await self._probe(upload.path, upload.owner.tier)
        return UserEmoji(
            id=upload.emoji_id,
            owner_id=upload.owner.id,
            name=name_of_file(received.original_name) if name is None else name,
            tags=tuple(tags),
            status=Status.PROCESSING,
            reason=None,
            digest=received.digest,
            bytes=received.size,
            original_name=received.original_name,
            probe=probe,
            created_at=upload.asked_at,
            updated_at=upload.asked_at,
        )

    async def _probe(self, path: Path, tier: Tier) -> Probe:
        limits = Limits(
            max_side=tier.max_side,
            max_frame_pixels=tier.max_frame_pixels,
            max_frames=tier.max_frames,
            max_total_pixels=tier.max_total_pixels,
        )
        try:
            return await self.renderer.probe(path, limits=limits)
        except UnsupportedMediaError as error:
            raise UnsupportedFormatError from error
        except ImageRejectedError as error:
            raise ImageRefusedError(error.reason, limit=error.limit, actual=error.actual) from error
        except RendererUnavailableError as error:
            raise UnavailableError("Too many pictures at once.", retry_after=2) from error

    async def _refuse_without_slot(self, upload: SpooledUpload) -> None:
        """Spare the storage what is refused anyway. The transaction decides once more."""
        owner, digest = upload.owner, upload.received.digest
        async with self.db.reading() as connection:
            same = await emoji_store.find_same(connection, owner.id, digest)
            if same is None or same.deleted_at is not None:
                await refuse_without_slot(connection, owner)

    async def _settle(
        self, tx: WriteConnection, upload: SpooledUpload, draft: UserEmoji
    ) -> Accepted:
        """Duplicate, revival or new row: in this order, and only the latter two take a slot."""
        owner = upload.owner
        await emoji_store.lock_owner(tx, owner.id)
        if await erasures.covers(tx, owner.id, upload.asked_at):
            raise UnauthenticatedError("The user was erased meanwhile.", given=True)
        same = await emoji_store.find_same(tx, owner.id, draft.digest)
        if same is not None and same.deleted_at is None:
            return Accepted(self.views.full(same), is_new=False)
        await take_slot(tx, owner)
        if same is None:
            await emoji_store.add(tx, draft)
            emoji = draft
        else:
            emoji = await self._revive(tx, same, upload.received)
        if emoji.status is Status.PROCESSING:
            await publish_processing(tx, self.queue, emoji.id)
        return Accepted(self.views.full(emoji), is_new=True)

    async def _revive(
        self, tx: WriteConnection, deleted: UserEmoji, received: Received
    ) -> UserEmoji:
        """Put a deleted emoji back; what the client says of it now goes before what was."""
        now = self.clock()
        revived = await emoji_store.undelete(tx, deleted.id, now=now)
        if received.name is None and not received.tags:
            return revived
        tags = checked_tags(received.tags) or None
        return await emoji_store.describe(tx, deleted.id, name=received.name, tags=tags, now=now)

    async def _take_back(self, owner: Owner, digest: Digest) -> None:
        """Drop a stored file that became nobody's; the collector does what fails here."""
        try:
            async with self.turns.of(owner.id):
                await self.assets.discard([digest])
        except ProblemError as error:
            log.warning("upload.not_taken_back", digest=digest, error=error.detail)
