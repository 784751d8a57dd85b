"""What a list shows and in which order: the wanted, as the database is asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from emoji_gallery.contracts.ids import EmojiId

Sort = Literal["position", "newest"]

FIRST_ID: Final = EmojiId(UUID(int=0))
LAST_ID: Final = EmojiId(UUID(int=2**128 - 1))


@dataclass(frozen=True)
class Filters:
    """All must hold; None holds always. `max_rank` is the highest tier that is shown."""

    max_rank: int | None = None
    category: str | None = None
    subcategory: str | None = None
    pack: str | None = None
    tier: str | None = None
    animated: bool | None = None
    active: bool = True
    variants: bool = False
    ids: tuple[EmojiId, ...] | None = None
    base: EmojiId | None = None


@dataclass(frozen=True)
class Place:
    """Where a page begins: after this row of the order. The defaults are before the first."""

    match: int = -1
    position: int = -1
    id: EmojiId = FIRST_ID


@dataclass(frozen=True)
class Slice:
    """One page of a list: how it is ordered, where it begins and how many rows it has."""

    sort: Sort
    after: Place | None
    rows: int
