"""An emoji as the gallery keeps it, and what a pack's import makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from emoji_gallery.contracts.ids import Digest, EmojiId

# What a curator may decide about, and a re-import then leaves.
CuratedField = Literal["name", "tags", "tier", "position", "is_active"]


@dataclass(frozen=True, slots=True)
class Art:
    """The picture of an emoji: its source's digest and measured facts, in pixels and ms."""

    digest: Digest
    width: int
    height: int
    duration_ms: int | None
    animated: bool
    vector: bool


@dataclass(frozen=True, slots=True)
class TierRank:
    """A tier's name and how far up it is."""

    name: str
    rank: int


@dataclass(frozen=True, slots=True)
class EmojiRow:
    """One emoji of a pack, whole; two that are equal need no writing."""

    id: EmojiId
    key: str
    base_id: EmojiId | None
    character: str | None
    name: str
    names: Mapping[str, str]
    tags: tuple[str, ...]
    aliases: tuple[str, ...]
    category: str
    subcategory: str
    tier: TierRank
    position: int
    is_active: bool
    art: Art
    author: str | None
    curated: frozenset[str]


# Found under its pack's own names, whatever the language that is asked for.
PACK_TEXTS: Final = ""
