"""Where a page ends, as the signed text that begins the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from emoji_gallery.contracts.ids import EmojiId
from emoji_gallery.edge.paging import CursorCodec
from emoji_gallery.gallery.rules.filters import Place
from emoji_gallery.gallery.rules.listing import Listing
from emoji_gallery.kit.jsontypes import JSON

_EMOJIS: Final = "gallery"
_CATEGORIES: Final = "gallery.categories"
_PACKS: Final = "gallery.packs"
_UNFILTERED: Final[Mapping[str, JSON]] = {}


@dataclass(frozen=True)
class PageCursors:
    """Reads and writes the cursors of the gallery's lists.

    Reading raises `InvalidCursorError` for a cursor that is not ours or of another list; what a
    signature covers has the form in which it was written.
    """

    codec: CursorCodec

    def place(self, wanted: Listing, cursor: str | None) -> Place | None:
        """Where a page of emojis begins."""
        if cursor is None:
            return None
        match, position, row_id = self.codec.decode(_EMOJIS, wanted.bound, cursor)
        return Place(int(str(match)), int(str(position)), EmojiId(UUID(str(row_id))))

    def of_place(self, wanted: Listing, place: Place | None) -> str | None:
        """The cursor of a page of emojis that begins there."""
        if place is None:
            return None
        return self.codec.encode(
            _EMOJIS, wanted.bound, [place.match, place.position, str(place.id)]
        )

    def category(self, cursor: str | None) -> tuple[int, str] | None:
        """Behind which category a page begins."""
        if cursor is None:
            return None
        position, name = self.codec.decode(_CATEGORIES, _UNFILTERED, cursor)
        return int(str(position)), str(name)

    def of_category(self, place: tuple[int, str] | None) -> str | None:
        """The cursor of a page that begins behind a category."""
        return None if place is None else self.codec.encode(_CATEGORIES, _UNFILTERED, place)

    def pack(self, cursor: str | None) -> str | None:
        """Behind which pack a page begins."""
        if cursor is None:
            return None
        (name,) = self.codec.decode(_PACKS, _UNFILTERED, cursor)
        return str(name)

    def of_pack(self, name: str | None) -> str | None:
        """The cursor of a page that begins behind a pack."""
        return None if name is None else self.codec.encode(_PACKS, _UNFILTERED, [name])
