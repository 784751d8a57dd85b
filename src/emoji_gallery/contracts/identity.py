"""Who is asking: actors, their tiers, and the ports that the features meet through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.jsontypes import JSON

Scope = Literal["curator", "admin", "service"]
SCOPES: Final[tuple[Scope, ...]] = ("curator", "admin", "service")


@dataclass(frozen=True)
class Tier:
    """A plan that users are on. Sizes in bytes and pixels, rates in requests a minute."""

    name: str
    rank: int
    upload_limit: int | None
    max_file_bytes: int
    max_side: int
    max_frame_pixels: int
    max_frames: int
    max_total_pixels: int
    reads_per_minute: int
    uploads_per_minute: int


@dataclass(frozen=True)
class Actor:
    """The caller of one request, as the service believes it to be."""

    user_id: UserId | None
    tier: Tier
    scopes: frozenset[str] = frozenset()
    acting_service: str | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether no token came with the request."""
        return self.user_id is None

    def has_scope(self, scope: Scope) -> bool:
        """Whether the caller's token or key carries the scope."""
        return scope in self.scopes

    def may_read_user(self, user_id: UserId) -> bool:
        """Whether the caller may read what belongs to a user: the owner, admins, services."""
        return self.user_id == user_id or self.has_scope("admin") or self.has_scope("service")


class Identities(Protocol):
    """Knows who a token or key stands for, and what the tiers allow."""

    async def authenticate(self, authorization: str | None, acting_for: str | None) -> Actor:
        """The actor of an `Authorization` header, anonymous without one.

        `acting_for` is the `Emoji-Actor` header, as sent. Raises `UnauthenticatedError` for
        a token that does not hold and `ForbiddenError` for acting without the scope.
        """
        ...

    async def tier(self, name: str) -> Tier:
        """The tier of that name; raises `NotFoundError`."""
        ...

    async def tiers(self) -> Sequence[Tier]:
        """All tiers, lowest rank first."""
        ...


class UserData(Protocol):
    """What a feature keeps of a user."""

    @property
    def name(self) -> str:
        """The key under which `export` appears in the user's file."""
        ...

    async def erase(self, user_id: UserId, *, before: datetime) -> None:
        """Remove all that was made before a time; doing it twice changes nothing."""
        ...

    async def export(self, user_id: UserId) -> JSON:
        """All that is kept of the user, as JSON."""
        ...
