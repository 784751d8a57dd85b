"""What one address may make us do that a cache could not answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from emoji_gallery.edge.limits import RateLimitedError
from emoji_gallery.kit.limiter import Limiter

_POLICY: Final = "media-misses"
_WINDOW: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class MissLimit:
    """Counts what had to be looked up for a request without a signature, and what to be made."""

    limiter: Limiter
    per_minute: int

    def toll(self, address: str) -> Toll:
        """What one request of an address pays."""
        return Toll(self, address)


@dataclass
class Toll:
    """Paid once in a request, however often it misses."""

    limit: MissLimit
    address: str
    paid: bool = False

    async def pay(self) -> None:
        """Count a miss; raises `RateLimitedError` for an address that used up its share."""
        if self.paid:
            return
        verdict = await self.limit.limiter.hit(
            _POLICY, f"address:{self.address}", limit=self.limit.per_minute, window=_WINDOW
        )
        if not verdict.allowed:
            raise RateLimitedError(_POLICY, verdict)
        self.paid = True
