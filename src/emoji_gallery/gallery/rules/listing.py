"""What a client asks a list for, before it is known who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from emoji_gallery.contracts.ids import EmojiId
from emoji_gallery.gallery.rules.filters import Filters, Place, Sort
from emoji_gallery.kit.jsontypes import JSON

MAX_IDS: Final = 200


@dataclass(frozen=True)
class Listing:
    """Everything that decides which emojis are listed, in which order, with which names.

    `locale` is empty for the packs' own names; `active` is None unless a curator asks.
    """

    category: str | None = None
    subcategory: str | None = None
    pack: str | None = None
    tier: str | None = None
    animated: bool | None = None
    ids: tuple[EmojiId, ...] | None = None
    base: EmojiId | None = None
    include_variants: bool = False
    include_locked: bool = False
    q: str | None = None
    locale: str = ""
    active: bool | None = None
    sort: Sort = "position"

    @property
    def bound(self) -> Mapping[str, JSON]:
        """What a cursor of this list is bound to."""
        return {
            "category": self.category,
            "subcategory": self.subcategory,
            "pack": self.pack,
            "tier": self.tier,
            "animated": self.animated,
            "ids": None if self.ids is None else [str(one) for one in self.ids],
            "base": None if self.base is None else str(self.base),
            "variants": self.include_variants,
            "locked": self.include_locked,
            "q": self.q,
            "locale": self.locale,
            "active": self.active,
            "sort": self.sort,
        }

    def filters(self, *, rank: int) -> Filters:
        """The filters for a caller whose tier has this rank."""
        return Filters(
            max_rank=None if self.include_locked else rank,
            category=self.category,
            subcategory=self.subcategory,
            pack=self.pack,
            tier=self.tier,
            animated=self.animated,
            active=True if self.active is None else self.active,
            variants=self.include_variants,
            ids=self.ids,
            base=self.base,
        )


@dataclass(frozen=True)
class PageRequest:
    """Which part of a list: at most `limit` items behind a place."""

    limit: int
    after: Place | None = None


def typed(q: str | None) -> str | None:
    """A query without white space that means nothing; None when there is no more to it."""
    return " ".join((q or "").split()) or None
