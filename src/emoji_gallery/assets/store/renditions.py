"""Leases on renditions: who makes one, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    case,
    column,
    func,
    literal,
    select,
    true,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import insert

from emoji_gallery.assets.models import assets, renditions
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.database import ReadConnection, WriteConnection


@dataclass(frozen=True, slots=True)
class Lease:
    """Renditions that one process makes just now."""

    digest: Digest
    names: Sequence[str]
    token: UUID


async def claim(
    tx: WriteConnection, digest: Digest, names: Sequence[str], *, token: UUID, duration: timedelta
) -> Lease | None:
    """Take those renditions of a living asset that nobody holds; None when there are none."""
    wanted = values(column("name", Text), name="wanted").data([(name,) for name in sorted(names)])
    living = (
        select(assets.c.digest, wanted.c.name, literal(token, Uuid), func.now() + duration)
        .select_from(assets.join(wanted, true()))
        .where(assets.c.digest == digest, assets.c.collecting_since.is_(None))
    )
    taken = insert(renditions).from_select(
        ["digest", "name", "lease_token", "leased_until"], living
    )
    result = await tx.execute(
        taken.on_conflict_do_update(
            index_elements=[renditions.c.digest, renditions.c.name],
            set_={
                "lease_token": taken.excluded.lease_token,
                "leased_until": taken.excluded.leased_until,
                "failure": None,
            },
            where=renditions.c.leased_until <= func.now(),
        ).returning(renditions.c.name)
    )
    claimed = list(result.scalars())
    return Lease(digest, claimed, token) if claimed else None


async def renew(tx: WriteConnection, lease: Lease, *, duration: timedelta) -> None:
    """Keep what was claimed for another while."""
    await tx.execute(
        update(renditions).where(_held(lease)).values(leased_until=func.now() + duration)
    )


async def finish(tx: WriteConnection, lease: Lease, sizes: Mapping[str, int]) -> bool:
    """End a lease whose renditions are stored, in so many bytes each.

    Answers False, and leaves the lease, when the asset is being collected.
    """
    # The row lock keeps the asset from being collected before this is committed.
    locked = await tx.execute(_living(lease.digest).with_for_update(read=True))
    if locked.one_or_none() is None:
        return False
    size = case(dict(sizes), value=renditions.c.name)
    await tx.execute(
        update(renditions).where(_held(lease)).values(bytes=size, leased_until=func.now())
    )
    return True


async def give_back(tx: WriteConnection, lease: Lease) -> None:
    """End a lease before anything came of it, so that others may try at once."""
    await tx.execute(update(renditions).where(_held(lease)).values(leased_until=func.now()))


async def fail(tx: WriteConnection, lease: Lease, *, reason: str, rest: timedelta) -> None:
    """Remember that these cannot be made, and let nobody try again before `rest` is over."""
    await tx.execute(
        update(renditions)
        .where(_held(lease))
        .values(bytes=None, failure=reason, leased_until=func.now() + rest)
    )


async def failure(connection: ReadConnection, digest: Digest, names: Sequence[str]) -> str | None:
    """Why one of these could not be made lately; None when none failed."""
    result = await connection.execute(
        select(renditions.c.failure)
        .where(
            renditions.c.digest == digest,
            renditions.c.name.in_(names),
            renditions.c.failure.is_not(None),
            renditions.c.leased_until > func.now(),
        )
        .limit(1)
    )
    reason: str | None = result.scalar_one_or_none()
    return reason


async def is_living(connection: ReadConnection, digest: Digest) -> bool:
    """Whether an asset is registered and no collector is at work on it."""
    result = await connection.execute(_living(digest))
    return result.one_or_none() is not None


def _living(digest: Digest) -> Select[tuple[str]]:
    return select(assets.c.digest).where(
        assets.c.digest == digest, assets.c.collecting_since.is_(None)
    )


def _held(lease: Lease) -> ColumnElement[bool]:
    return and_(
        renditions.c.digest == lease.digest,
        renditions.c.name.in_(lease.names),
        renditions.c.lease_token == lease.token,
    )
