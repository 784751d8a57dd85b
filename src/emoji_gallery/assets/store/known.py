"""Rows of assets: what is registered, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from emoji_gallery.assets.models import assets
from emoji_gallery.assets.rules.stored import StoredAsset
from emoji_gallery.assets.store.arrays import among
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.database import ReadConnection, WriteConnection
from emoji_gallery.media.types import Format, Probe

# A statement takes at most 32,767 parameters.
_ROWS_AT_ONCE: Final = 1000


async def find(connection: ReadConnection, digest: Digest) -> StoredAsset | None:
    """The asset of a digest, unless it is being collected."""
    result = await connection.execute(
        select(assets).where(assets.c.digest == digest, assets.c.collecting_since.is_(None))
    )
    row = result.one_or_none()
    return None if row is None else _asset(row)


async def upsert(tx: WriteConnection, stored: Sequence[StoredAsset]) -> None:
    """Register assets in the order of their digests; known ones are needed again from now on."""
    rows = [
        {
            "digest": one.digest,
            "format": str(one.probe.format),
            "width": one.probe.width,
            "height": one.probe.height,
            "frames": one.probe.frames,
            "duration_ms": one.probe.duration_ms,
            "bytes": one.bytes,
        }
        for one in sorted(stored, key=lambda one: one.digest)
    ]
    needed_again = {
        "unreferenced_since": None,
        "collecting_since": None,
        "changed_at": func.clock_timestamp(),
    }
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        statement = insert(assets).values(rows[start : start + _ROWS_AT_ONCE])
        await tx.execute(
            statement.on_conflict_do_update(index_elements=[assets.c.digest], set_=needed_again)
        )


async def set_public(tx: WriteConnection, digests: Sequence[Digest], *, public: bool) -> None:
    """Say of assets whether everybody may have them."""
    in_order = select(assets.c.digest).where(
        among(assets.c.digest, digests), assets.c.is_public.is_not(public)
    )
    locked = in_order.order_by(assets.c.digest).with_for_update().cte("locked")
    await tx.execute(
        update(assets)
        .where(assets.c.digest.in_(select(locked.c.digest)))
        .values(is_public=public, changed_at=func.clock_timestamp())
    )


async def lock_living(tx: WriteConnection, digests: Sequence[Digest]) -> set[Digest]:
    """Those of the digests that are in service, and stay so until the transaction ends."""
    living = select(assets.c.digest).where(
        among(assets.c.digest, digests), assets.c.collecting_since.is_(None)
    )
    result = await tx.execute(living.order_by(assets.c.digest).with_for_update(read=True))
    return set(result.scalars())


async def changed_within(connection: ReadConnection, age: timedelta) -> list[Digest]:
    """The assets of which an answer may have changed lately."""
    result = await connection.execute(
        select(assets.c.digest).where(assets.c.changed_at > func.clock_timestamp() - age)
    )
    return list(result.scalars())


def _asset(row: Row[tuple[object, ...]]) -> StoredAsset:
    return StoredAsset(
        digest=row.digest,
        probe=Probe(
            format=Format(row.format),
            width=row.width,
            height=row.height,
            frames=row.frames,
            duration_ms=row.duration_ms,
        ),
        bytes=row.bytes,
        is_public=row.is_public,
    )
