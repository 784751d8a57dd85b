"""Taking a slot for an emoji: what upload, revival and restoring have in common."""

from __future__ import annotations

from dataclasses import dataclass

from emoji_gallery.contracts.identity import Actor, Tier
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.database import ReadConnection, WriteConnection
from emoji_gallery.kit.errors import UnauthenticatedError
from emoji_gallery.user_emojis.errors import UploadLimitReachedError
from emoji_gallery.user_emojis.store import quotas as quota_store


@dataclass(frozen=True, slots=True)
class Owner:
    """Who keeps emojis, and on which tier."""

    id: UserId
    tier: Tier


def owner_of(actor: Actor) -> Owner:
    """The caller as an owner; raises `UnauthenticatedError` for an anonymous one."""
    if actor.user_id is None:
        raise UnauthenticatedError
    return Owner(actor.user_id, actor.tier)


async def take_slot(tx: WriteConnection, owner: Owner) -> None:
    """Count one emoji more; raises `UploadLimitReachedError`."""
    if not await quota_store.take(tx, owner.id, owner.tier.upload_limit):
        raise await _limit_reached(tx, owner)


async def refuse_without_slot(connection: ReadConnection, owner: Owner) -> None:
    """Raise `UploadLimitReachedError` when no slot is free now; takes none."""
    limit = owner.tier.upload_limit
    if limit is None:
        return
    quota = await quota_store.read(connection, owner.id)
    if quota.used >= limit:
        raise UploadLimitReachedError(tier=owner.tier.name, limit=limit, used=quota.used)


async def _limit_reached(tx: WriteConnection, owner: Owner) -> UploadLimitReachedError:
    quota = await quota_store.read(tx, owner.id)
    return UploadLimitReachedError(
        tier=owner.tier.name, limit=owner.tier.upload_limit or 0, used=quota.used
    )
