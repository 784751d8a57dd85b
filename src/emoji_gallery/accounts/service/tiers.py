"""The tiers, as a process knows them, and the change of their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from emoji_gallery.accounts.errors import UnknownTierError
from emoji_gallery.accounts.rules.standing import Standing, TierRow, Tiers
from emoji_gallery.accounts.rules.tier_limits import check_limits
from emoji_gallery.accounts.service.recent import Recent
from emoji_gallery.accounts.store import tiers as store
from emoji_gallery.contracts.identity import Tier
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import UnavailableError

# How long a process may believe what it read of tiers, users and keys. A revocation and a new
# limit are promised within 60 seconds; the rest is room for a slow request.
BELIEVED_FOR: Final = timedelta(seconds=25)

_ALL: Final = "all"

log = structlog.get_logger(__name__)


class TierBook:
    """All tiers, read from the database when what is known is older than `BELIEVED_FOR`."""

    def __init__(self, *, db: Database, clock: Clock) -> None:
        self._db = db
        self._recent: Recent[str, Tiers] = Recent(size=1, ttl=BELIEVED_FOR, clock=clock)
        self._complained: Recent[str, str] = Recent(size=100, ttl=BELIEVED_FOR, clock=clock)

    async def current(self) -> Tiers:
        """The tiers; raises `UnavailableError` without a database."""
        return await self._recent.get_or_load(_ALL, self._read)

    async def tier_of(self, standing: Standing, *, claimed: str | None) -> Tier:
        """The tier of a user, by what is stored and what the token claims."""
        tiers = await self.current()
        if claimed is not None and tiers.find(claimed) is None:
            self._complain(claimed)
        return tiers.resolve(stored=standing.tier, claimed=claimed)

    def forget(self) -> None:
        """Read them again next time."""
        self._recent.forget(_ALL)

    def _complain(self, claimed: str) -> None:
        """Tell the operator that the issuer names a tier nobody made, once in a while."""
        if self._complained.get(claimed) is None:
            self._complained.put(claimed, claimed)
            log.warning("tiers.unknown_claim", claimed=claimed)

    async def _read(self) -> Tiers:
        async with self._db.reading() as connection:
            tiers = await store.all_tiers(connection)
        if not tiers.rows:
            raise UnavailableError("There are no tiers.")
        return tiers


@dataclass(frozen=True)
class ChangeTier:
    """Shows the tiers to the operator, and gives one other limits."""

    db: Database
    book: TierBook

    async def all(self) -> Sequence[TierRow]:
        """Every tier as it is stored now, lowest rank first."""
        self.book.forget()
        return list((await self.book.current()).rows.values())

    async def set_limits(self, name: str, changes: Mapping[str, int | None]) -> None:
        """Change some limits; None takes one away where that means something.

        Other processes know within `BELIEVED_FOR`. Raises `TierLimitError` and
        `UnknownTierError`.
        """
        check_limits(changes)
        async with self.db.transaction() as tx:
            if not await store.change_limits(tx, name, changes):
                raise UnknownTierError(f"There is no tier {name!r}.")
        self.book.forget()
