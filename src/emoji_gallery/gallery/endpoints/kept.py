"""Which of the gallery's answers the edge keeps, and under which names.

Two requests have one name when they get the same bytes: it holds the tier and what the query
means, not how it is written. What is odd has none and goes to its route, which refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.identity import Actor
from emoji_gallery.edge.page_cache import CachedPages
from emoji_gallery.edge.paging import DEFAULT_LIMIT
from emoji_gallery.gallery.rules.listing import typed
from emoji_gallery.gallery.rules.locales import LOCALES, PACK_LOCALE, language_of
from emoji_gallery.gallery.service.watching import CatalogueWatch

# Browsers ask again after 30 s; an outer cache that serves all of them after one, and while it
# asks it serves what it has for one more, so that it is never 3 s behind. When we are away it may
# serve for an hour. All of it is far shorter than the day that signed URLs hold at least.
_CACHE_CONTROL: Final = (
    "public, max-age=30, s-maxage=1, stale-while-revalidate=1, stale-if-error=3600"
)

_MOST_CHARACTERS: Final = 2_000
_TRUE: Final = frozenset({"true", "1"})
_FALSE: Final = frozenset({"false", "0"})

# How a value is read; None where it is odd, and empty where it says what is said by none.
_Reader = Callable[[str], str | None]


def _as_it_is(value: str) -> str | None:
    return value or None


def _flag(value: str) -> str | None:
    if value in _TRUE:
        return "true"
    return "" if value in _FALSE else None


def _choice(value: str) -> str | None:
    return "true" if value in _TRUE else "false" if value in _FALSE else None


def _language(value: str) -> str | None:
    language = language_of(value)
    if language not in LOCALES:
        return None
    return "" if language == PACK_LOCALE else language


def _limit(value: str) -> str | None:
    if not (value.isascii() and value.isdecimal()):
        return None
    return "" if value == str(DEFAULT_LIMIT) else value


def _query(value: str) -> str | None:
    return typed(value) or ""


def _sort(value: str) -> str | None:
    return {"position": "", "newest": "newest"}.get(value)


_PAGE: Final[Mapping[str, _Reader]] = {"limit": _limit, "cursor": _as_it_is}
_OVERVIEW: Final[Mapping[str, _Reader]] = {**_PAGE, "locale": _language}
_EMOJI: Final[Mapping[str, _Reader]] = {"locale": _language, "include_locked": _flag}
_LIST: Final[Mapping[str, _Reader]] = {
    **_OVERVIEW,
    "category": _as_it_is,
    "subcategory": _as_it_is,
    "pack": _as_it_is,
    "tier": _as_it_is,
    "animated": _choice,
    "ids": _as_it_is,
    "base": _as_it_is,
    "include_variants": _flag,
    "include_locked": _flag,
    "q": _query,
    "sort": _sort,
}


@dataclass(frozen=True)
class KeptPages:
    """What the edge's page cache asks for."""

    pages: Sequence[CachedPages]


def kept_pages(watch: CatalogueWatch, assets: Assets) -> Sequence[CachedPages]:
    """The answers that are kept for as long as catalogue and signing window stay."""

    def generation() -> str:
        return f"{watch.version}.{assets.window().tag}"

    def pages(path: str, readers: Mapping[str, _Reader]) -> CachedPages:
        return CachedPages(
            path=path,
            variant=lambda _, query, actor: name_of(readers, query, actor),
            generation=generation,
            cache_control=lambda: _CACHE_CONTROL,
        )

    return [
        pages("/gallery", _LIST),
        pages("/gallery/categories", _OVERVIEW),
        pages("/gallery/packs", _OVERVIEW),
        pages("/gallery/", _EMOJI),
    ]


def name_of(readers: Mapping[str, _Reader], query: bytes, actor: Actor) -> str | None:
    """What a caller would see of a list under a query string; None for what is not kept."""
    if len(query) > _MOST_CHARACTERS or actor.has_scope("curator"):
        return None
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        return None
    said: dict[str, str] = {}
    for name, value in pairs:
        reader = readers.get(name)
        meant = None if reader is None or name in said else reader(value)
        if meant is None or "\0" in value:
            return None
        said[name] = meant
    meaning = (f"{name}={len(said[name])}:{said[name]}" for name in sorted(said) if said[name])
    return f"{actor.tier.name}?{'&'.join(meaning)}"
