"""A twin of the real identities for tests of what stands behind `Identify`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from emoji_gallery.contracts.identity import Actor, Tier
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.errors import NotFoundError, UnauthenticatedError, UnavailableError

FREE: Final = Tier(
    name="free",
    rank=0,
    upload_limit=5,
    max_file_bytes=10,
    max_side=4,
    max_frame_pixels=16,
    max_frames=1,
    max_total_pixels=16,
    reads_per_minute=4,
    uploads_per_minute=2,
)
PREMIUM: Final = replace(FREE, name="premium", rank=1, reads_per_minute=6, uploads_per_minute=3)

# What visitors without a token may read a minute.
ANONYMOUS_READS: Final = 3


@dataclass
class Visitors:
    """A token is the user's name, `name@premium` for one who pays; `forged` is nobody's."""

    answering: bool = True

    async def authenticate(self, authorization: str | None, acting_for: str | None) -> Actor:
        del acting_for
        if not self.answering:
            raise UnavailableError
        if authorization is None:
            return Actor(None, replace(FREE, reads_per_minute=ANONYMOUS_READS))
        name, _, tier = authorization.removeprefix("Bearer ").partition("@")
        if name == "forged":
            raise UnauthenticatedError(given=True)
        return Actor(UserId(name), await self.tier(tier or "free"))

    async def tier(self, name: str) -> Tier:
        for tier in await self.tiers():
            if tier.name == name:
                return tier
        raise NotFoundError

    async def tiers(self) -> list[Tier]:
        return [FREE, PREMIUM]
