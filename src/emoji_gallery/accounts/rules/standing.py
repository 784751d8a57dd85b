"""What the stored facts about a user make of a token's claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from emoji_gallery.contracts.identity import Tier

DEFAULT_TIER: Final = "free"


@dataclass(frozen=True)
class Standing:
    """What accounts stores of a user that decides about a request.

    `known` says whether the user has a row; `tier` is the one that `PUT /users` stored.
    """

    known: bool = False
    tier: str | None = None
    tokens_revoked_before: datetime | None = None

    def revokes(self, issued_at: float | None) -> bool:
        """Whether a token issued then (seconds since the epoch) is revoked.

        A token that does not say when it was issued counts as older than any revocation.
        """
        if self.tokens_revoked_before is None:
            return False
        return issued_at is None or issued_at < self.tokens_revoked_before.timestamp()


@dataclass(frozen=True)
class TierRow:
    """A tier, and what anonymous visitors on it get: only the default tier has any."""

    tier: Tier
    anonymous_reads_per_minute: int | None = None


@dataclass(frozen=True)
class Tiers:
    """All tiers at one moment, lowest rank first."""

    rows: Mapping[str, TierRow]

    def find(self, name: str | None) -> Tier | None:
        """The tier of that name, if there is one."""
        row = None if name is None else self.rows.get(name)
        return None if row is None else row.tier

    def resolve(self, *, stored: str | None, claimed: str | None) -> Tier:
        """The tier of a user: the stored one, else the claimed one, else the default.

        A claim that names no tier counts as none: the issuer's mistake costs its user the
        extras, never the service.
        """
        return self.find(stored) or self.find(claimed) or self._default().tier

    def anonymous(self) -> Tier:
        """What visitors without a token are on: the default tier with a rate of their own."""
        row = self._default()
        if row.anonymous_reads_per_minute is None:
            return row.tier
        return replace(row.tier, reads_per_minute=row.anonymous_reads_per_minute)

    def _default(self) -> TierRow:
        return self.rows.get(DEFAULT_TIER) or next(iter(self.rows.values()))
