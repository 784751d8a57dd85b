"""Whole answers kept as bytes and served before any routing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from emoji_gallery.contracts.identity import Actor

# What a caller gets to see of a path and query string; None when the answer is not to be kept.
Variant = Callable[[str, bytes, Actor], str | None]


@dataclass(frozen=True)
class CachedPages:
    """Which answers of a feature the edge may keep, and under which key.

    `path` is matched exactly or, when it ends in a slash, as a prefix (`/gallery/` covers
    `/gallery/emj_…`; exact ones go first). `variant(path, query_string, actor)` names what the
    caller would see: the normalised query, the tier. It is cheap, never raises, depends on its
    arguments' path, query, tier and scopes alone, and says None for what the route should answer
    itself, uncached: anything odd, unknown or personal. `generation()` names the state of the data
    that answers are made from (catalogue version, signing window and key): when it changes, kept
    answers are no longer found. `cache_control()` is what an anonymous caller is told now.

    The route makes the body, `Content-Type`, `Link` and `Surrogate-Key`. This layer adds `ETag`,
    `Vary` and `Cache-Control` to every 200 on these paths, also where `variant` says None: what
    `cache_control()` says without a token, `private, no-cache` with one.
    """

    path: str
    variant: Variant
    generation: Callable[[], str]
    cache_control: Callable[[], str]
    ttl: timedelta = timedelta(minutes=10)
