"""Answers as bytes, built from rows without a detour through models.

`schemas` states the same shapes for the API's description; a test holds both together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from emoji_gallery.assets.rules.links import AssetFacts
from emoji_gallery.assets.rules.signing import Audience, SigningWindow
from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.ids import EMOJI_PREFIX
from emoji_gallery.gallery.service.browsing import (
    CategoryPage,
    GalleryPage,
    PackPage,
    SeenEmoji,
)
from emoji_gallery.kit.jsontypes import JSON
from emoji_gallery.kit.typeids import format_id
from emoji_gallery.media.catalogue import LISTED
from emoji_gallery.media.types import Shape

# All that is shown of an emoji above the caller's tier.
_PREVIEW: Final = ("64.webp",)


@dataclass(frozen=True)
class Answers:
    """Writes answers; renditions carry URLs that hold for their audience."""

    assets: Assets

    def page(self, page: GalleryPage, next_cursor: str | None, *, curator: bool) -> bytes:
        """A page of the gallery."""
        window = self.assets.window()
        items = [self._emoji(seen, window, whole=False, curator=curator) for seen in page.items]
        return orjson.dumps({"items": items, "total": page.total, "next_cursor": next_cursor})

    def emoji(self, seen: SeenEmoji, *, curator: bool) -> bytes:
        """One emoji with all its renditions."""
        window = self.assets.window()
        return orjson.dumps(self._emoji(seen, window, whole=True, curator=curator))

    def _emoji(
        self, seen: SeenEmoji, window: SigningWindow, *, whole: bool, curator: bool
    ) -> Mapping[str, JSON]:
        row, art = seen.row, seen.row.art
        body: dict[str, JSON] = {
            "id": format_id(EMOJI_PREFIX, row.id),
            "base_id": None if row.base_id is None else format_id(EMOJI_PREFIX, row.base_id),
            "name": row.name,
            "character": row.character,
            "category": row.category,
            "subcategory": row.subcategory or None,
            "tags": row.tags,
            "pack": row.pack,
            "tier": row.tier.name,
            "position": row.position,
            "locked": seen.locked,
            "animated": art.animated,
            "width": art.width,
            "height": art.height,
            "duration_ms": art.duration_ms,
            "version": art.digest,
            "attribution": row.attribution,
            "renditions": self._renditions(seen, window, whole=whole),
        }
        if curator:
            body["is_active"] = row.is_active
        return body

    def _renditions(
        self, seen: SeenEmoji, window: SigningWindow, *, whole: bool
    ) -> Mapping[str, JSON]:
        art = seen.row.art
        names = _PREVIEW if seen.locked else None if whole else LISTED
        links = self.assets.renditions(
            AssetFacts(
                art.digest, Shape(art.width, art.height, animated=art.animated, vector=art.vector)
            ),
            audience=Audience.PUBLIC if seen.public else Audience.INHOUSE,
            names=names,
            window=window,
        )
        return {
            name: {"url": link.url, "type": link.type, "width": link.width, "height": link.height}
            for name, link in links.items()
        }


def categories_answer(page: CategoryPage, next_cursor: str | None) -> bytes:
    """A page of categories."""
    items = [
        {
            "name": row.name,
            "label": row.label,
            "count": row.items,
            "subcategories": [{"name": name, "count": count} for name, count in row.subcategories],
        }
        for row in page.items
    ]
    return orjson.dumps({"items": items, "total": page.total, "next_cursor": next_cursor})


def packs_answer(page: PackPage, next_cursor: str | None) -> bytes:
    """A page of packs."""
    items = [
        {
            "name": row.name,
            "label": row.label,
            "count": row.items,
            "licence": row.licence,
            "attribution": row.attribution,
        }
        for row in page.items
    ]
    return orjson.dumps({"items": items, "total": page.total, "next_cursor": next_cursor})
