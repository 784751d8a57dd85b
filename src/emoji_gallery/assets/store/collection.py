"""What nobody needs any more, as the features' views `asset_references` tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    column,
    delete,
    false,
    func,
    or_,
    select,
    table,
    text,
    update,
)

from emoji_gallery.assets.models import assets, guards
from emoji_gallery.assets.store.arrays import among, rows_of
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.database import ReadConnection, WriteConnection

_LONG_AGO: Final = text("'-infinity'::timestamptz")


@dataclass(frozen=True, slots=True)
class Need:
    """Whether anything refers to an asset, and whether it is marked as unneeded."""

    digest: Digest
    is_referenced: bool
    is_marked: bool

    @property
    def is_new_waste(self) -> bool:
        """Whether its time of grace begins now."""
        return not self.is_referenced and not self.is_marked

    @property
    def is_wanted_again(self) -> bool:
        """Whether its time of grace ends unused."""
        return self.is_referenced and self.is_marked


async def needs(
    connection: ReadConnection, schemas: Sequence[str], *, after: Digest | None, limit: int
) -> list[Need]:
    """The next assets in the order of their digests, but for those that are being collected."""
    page = select(
        assets.c.digest,
        _is_referenced(assets.c.digest, schemas).label("is_referenced"),
        assets.c.unreferenced_since.is_not(None).label("is_marked"),
    ).where(assets.c.collecting_since.is_(None))
    if after is not None:
        page = page.where(assets.c.digest > after)
    result = await connection.execute(page.order_by(assets.c.digest).limit(limit))
    return [Need(row.digest, row.is_referenced, row.is_marked) for row in result]


async def mark_unneeded(tx: WriteConnection, digests: Sequence[Digest]) -> None:
    """Let the time of grace begin for assets where it has not yet."""
    await tx.execute(
        update(assets)
        .where(_not_locked(digests), assets.c.unreferenced_since.is_(None))
        .values(unreferenced_since=func.now())
    )


async def mark_overdue(tx: WriteConnection, digest: Digest) -> None:
    """Let an asset be collected at the next opportunity, if nobody needs it then."""
    await tx.execute(
        update(assets).where(assets.c.digest == digest).values(unreferenced_since=_LONG_AGO)
    )


async def mark_needed(tx: WriteConnection, digests: Sequence[Digest]) -> None:
    """Forget that assets were unneeded."""
    await tx.execute(update(assets).where(_not_locked(digests)).values(unreferenced_since=None))


async def lock(tx: WriteConnection, digests: Sequence[Digest]) -> list[Digest]:
    """Lock the rows of assets; answers those that another transaction is just using."""
    rows = select(assets.c.digest).where(among(assets.c.digest, digests)).order_by(assets.c.digest)
    # Not so strong a lock that a new rendition's reference to the row would be in its way.
    free = rows.with_for_update(skip_locked=True, key_share=True)
    locked = set((await tx.execute(free)).scalars())
    there: list[Digest] = list((await tx.execute(rows)).scalars())
    return [digest for digest in there if digest not in locked]


async def mark_collecting(tx: WriteConnection, digests: Sequence[Digest]) -> None:
    """Take locked assets out of service; should the collector die, they are overdue."""
    await tx.execute(
        update(assets)
        .where(among(assets.c.digest, digests))
        .values(collecting_since=func.now(), unreferenced_since=_LONG_AGO)
    )


async def overdue(
    connection: ReadConnection, *, grace: timedelta, after: Digest | None, limit: int
) -> list[Digest]:
    """The next assets, in the order of their digests, that are unneeded for longer than `grace`."""
    page = select(assets.c.digest).where(assets.c.unreferenced_since <= func.now() - grace)
    if after is not None:
        page = page.where(assets.c.digest > after)
    result = await connection.execute(page.order_by(assets.c.digest).limit(limit))
    return list(result.scalars())


async def referenced(
    connection: ReadConnection, digests: Sequence[Digest], schemas: Sequence[str]
) -> list[Digest]:
    """Those of the digests that something refers to."""
    # Not named like the views' column, which would hide it inside the subqueries.
    given = rows_of(digests).c.given
    result = await connection.execute(select(given).where(_is_referenced(given, schemas)))
    return list(result.scalars())


async def registered(connection: ReadConnection, digests: Sequence[Digest]) -> list[Digest]:
    """Those of the digests that have a row."""
    result = await connection.execute(
        select(assets.c.digest).where(among(assets.c.digest, digests))
    )
    return list(result.scalars())


async def remove(tx: WriteConnection, digests: Sequence[Digest], *, collector: UUID) -> None:
    """Remove the rows of what a collector claimed and has not lost since."""
    claimed = select(guards.c.digest).where(
        among(guards.c.digest, digests), guards.c.collector == collector
    )
    locked = claimed.order_by(guards.c.digest).with_for_update()
    await tx.execute(delete(assets).where(assets.c.digest.in_(locked)))


def _is_referenced(digest: ColumnElement[str], schemas: Sequence[str]) -> ColumnElement[bool]:
    views = [table("asset_references", column("digest", Text), schema=name) for name in schemas]
    found = [select(view.c.digest).where(view.c.digest == digest).exists() for view in views]
    return or_(false(), *found)


def _not_locked(digests: Sequence[Digest]) -> ColumnElement[bool]:
    """Rows that no other transaction is using; marks are hints, for which nobody should wait."""
    free = select(assets.c.digest).where(among(assets.c.digest, digests)).order_by(assets.c.digest)
    return assets.c.digest.in_(select(free.with_for_update(skip_locked=True).cte("free").c.digest))
