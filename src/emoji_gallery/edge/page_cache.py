"""Whole answers kept as bytes and served before any routing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emoji_gallery.contracts.identity import Actor
from emoji_gallery.edge.auth import caller_of
from emoji_gallery.edge.pages import Answer, Page, answer_of, page_of, unpacked
from emoji_gallery.kit.cache import Cache
from emoji_gallery.kit.memory_cache import MemoryCache
from emoji_gallery.kit.single_flight import SingleFlight

# What a caller gets to see of a path and query string; None when the answer is not to be kept.
Variant = Callable[[str, bytes, Actor], str | None]

_PRIVATE: Final = b"private, no-cache"

# Queries longer than this are worked out each time; of shorter ones so many are remembered.
_MOST_QUERY_BYTES: Final = 256
_MOST_VARIANTS: Final = 5_000


@dataclass(frozen=True)
class CachedPages:
    """Which answers of a feature the edge may keep, and under which key.

    `path` is matched exactly or, when it ends in a slash, covers one segment more (`/gallery/`
    covers `/gallery/emj_…`; exact ones go first). `variant(path, query_string, actor)` names what
    the caller would see: the normalised query, the tier. It is cheap, never raises, depends on
    path, query, tier and scopes alone, and says None for what the route should answer itself,
    unkept: anything odd, unknown or personal. `generation()` names the state of the data that
    answers are made from (catalogue version, signing window and key): when it changes, kept
    answers are no longer found. `cache_control()` is what an anonymous caller is told now.

    The route makes the body, `Content-Type`, `Link` and `Surrogate-Key`. For a kept answer it sees
    a request without headers, since one answer serves many; it knows the actor as ever. This layer
    adds `ETag`, `Vary` and `Cache-Control` to every 200 on these paths, kept or not: what
    `cache_control()` says without a token, `private, no-cache` with one.
    """

    path: str
    variant: Variant
    generation: Callable[[], str]
    cache_control: Callable[[], str]
    ttl: timedelta = timedelta(minutes=10)


@dataclass(frozen=True)
class PageStore:
    """Where pages are kept: parsed in this process, packed in the cache that processes share."""

    memory: MemoryCache[Page]
    shared: Cache


class _NotAPageError(Exception):
    """The route answered something else than a 200; all who waited for the page get that."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class PageCache:
    """ASGI middleware that answers GET and HEAD from kept bytes; it stands inside `Identify`.

    On a miss one request works for all that wait for the same page. Without a store every request
    is answered by its route, with the same headers.
    """

    def __init__(self, app: ASGIApp, pages: Sequence[CachedPages], store: PageStore | None) -> None:
        """Keep what `pages` describe in `store`."""
        self._app = app
        self._store = store
        self._pages = {entry.path: entry for entry in pages}
        self._flights: SingleFlight[Page] = SingleFlight()
        self._variants: dict[tuple[str, bytes, str, frozenset[str]], str | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        pages = self._pages_of(scope)
        actor = caller_of(scope) if pages is not None else None
        if pages is None or not isinstance(actor, Actor):
            await self._app(scope, receive, send)
            return
        scope["cached_route"] = pages.path
        try:
            page = await self._page(pages, actor, scope, receive)
        except _NotAPageError as other:
            await other.answer.send(scope, send)
        else:
            told = pages.cache_control().encode() if actor.is_anonymous else _PRIVATE
            await page.send(scope, send, told)

    def _pages_of(self, scope: Scope) -> CachedPages | None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return None
        path: str = scope["path"]
        return self._pages.get(path) or self._pages.get(path[: path.rfind("/") + 1])

    async def _page(self, pages: CachedPages, actor: Actor, scope: Scope, receive: Receive) -> Page:
        store = self._store
        variant = None if store is None else self._variant(pages, actor, scope)
        if store is None or variant is None:
            # The route is asked as for a GET: what HEAD answers has the same headers.
            return _page_or_raise(await answer_of(self._app, _as_get(scope), receive))
        # Clients write the path: its length keeps it apart from the variant.
        path = scope["path"]
        key = f"page:{pages.generation()}:{len(path)}:{path}:{variant}"
        page = store.memory.get(key)
        if page is not None:
            return page
        bare = {**_as_get(scope), "headers": []}
        return await self._flights.do(key, lambda: self._find_or_make(store, key, pages, bare))

    async def _find_or_make(
        self, store: PageStore, key: str, pages: CachedPages, scope: Scope
    ) -> Page:
        packed = await store.shared.get(key)
        if packed is not None:
            page = unpacked(packed)
        else:
            page = _page_or_raise(await answer_of(self._app, scope, _no_body))
            await store.shared.set(key, page.packed(), ttl=pages.ttl)
        store.memory.set(key, page, size=page.size, seconds=pages.ttl.total_seconds())
        return page

    def _variant(self, pages: CachedPages, actor: Actor, scope: Scope) -> str | None:
        path, query = scope["path"], scope["query_string"]
        if len(query) > _MOST_QUERY_BYTES:
            return pages.variant(path, query, actor)
        asked = (path, query, actor.tier.name, actor.scopes)
        if asked in self._variants:
            return self._variants[asked]
        if len(self._variants) >= _MOST_VARIANTS:
            self._variants.clear()
        variant = self._variants[asked] = pages.variant(path, query, actor)
        return variant


def _page_or_raise(answer: Answer) -> Page:
    if answer.status != HTTPStatus.OK:
        raise _NotAPageError(answer)
    return page_of(answer)


def _as_get(scope: Scope) -> Scope:
    return {**scope, "method": "GET"}


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
