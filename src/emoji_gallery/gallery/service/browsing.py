"""Lists and single emojis as a caller sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emoji_gallery.contracts.identity import Actor, Identities
from emoji_gallery.contracts.ids import EmojiId
from emoji_gallery.gallery.errors import UnsortableSearchError
from emoji_gallery.gallery.rules.filters import Place, Slice
from emoji_gallery.gallery.rules.listing import Listing, PageRequest
from emoji_gallery.gallery.rules.search import read_query
from emoji_gallery.gallery.service.watching import CatalogueWatch
from emoji_gallery.gallery.store import counting, listing, reading, searching
from emoji_gallery.gallery.store.counting import CountedCategory, CountedPack
from emoji_gallery.gallery.store.reading import GalleryRow
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import ForbiddenError, NotFoundError, UnauthenticatedError


@dataclass(frozen=True)
class SeenEmoji:
    """An emoji, whether its tier is above the caller's, and whether its art is everybody's."""

    row: GalleryRow
    locked: bool
    public: bool


@dataclass(frozen=True)
class GalleryPage:
    """One page; `total` is None for a search, `next` is None on the last page."""

    items: Sequence[SeenEmoji]
    total: int | None
    next: Place | None


@dataclass(frozen=True)
class CategoryPage:
    """One page of categories; `next` is None on the last page."""

    items: Sequence[CountedCategory]
    total: int
    next: tuple[int, str] | None


@dataclass(frozen=True)
class PackPage:
    """One page of packs; `next` is None on the last page."""

    items: Sequence[CountedPack]
    total: int
    next: str | None


@dataclass(frozen=True)
class BrowseGallery:
    """Reads the gallery with one statement a call."""

    db: Database
    identities: Identities
    watch: CatalogueWatch

    async def page(self, actor: Actor, wanted: Listing, request: PageRequest) -> GalleryPage:
        """One page of a list.

        Raises `UnsortableSearchError`, and for what only curators may ask for
        `UnauthenticatedError` or `ForbiddenError`.
        """
        if wanted.active is not None:
            _require_curator(actor)
        query = read_query(wanted.q or "", variants=wanted.include_variants)
        filters = wanted.filters(rank=actor.tier.rank)
        # One row more than is shown tells whether there is a next page.
        part = Slice(wanted.sort, request.after, request.limit + 1)
        total: int | None = None
        async with self.db.reading() as connection:
            if query is None:
                page = await listing.list_page(connection, filters, part, locale=wanted.locale)
                version, total, rows = page.version, page.total, page.rows
                matches: Sequence[int] = [0] * len(rows)
            elif wanted.sort != "position":
                raise UnsortableSearchError
            else:
                found = await searching.search_page(
                    connection, query, filters, part, locale=wanted.locale
                )
                version, rows, matches = found.version, found.rows, found.matches
        self.watch.saw(version)
        following: Place | None = None
        if len(rows) > request.limit:
            last = rows[request.limit - 1]
            following = Place(matches[request.limit - 1], last.position, last.id)
        return GalleryPage(await self._seen(actor, rows[: request.limit]), total, following)

    async def one(
        self, actor: Actor, emoji_id: EmojiId, *, locale: str, include_locked: bool
    ) -> SeenEmoji:
        """One emoji; raises `NotFoundError` for what the caller may not know of."""
        async with self.db.reading() as connection:
            version, row = await reading.find_one(connection, emoji_id, locale=locale)
        self.watch.saw(version)
        if row is None or not (row.is_active or actor.has_scope("curator")):
            raise NotFoundError
        (seen,) = await self._seen(actor, [row])
        if seen.locked and not include_locked:
            raise NotFoundError
        return seen

    async def categories(
        self, actor: Actor, *, locale: str, after: tuple[int, str] | None, limit: int
    ) -> CategoryPage:
        """The categories in which the caller sees anything."""
        async with self.db.reading() as connection:
            page = await counting.count_categories(
                connection,
                rank=actor.tier.rank,
                locale=locale,
                after=after or (-1, ""),
                rows=limit + 1,
            )
        self.watch.saw(page.version)
        shown = page.rows[:limit]
        more = len(page.rows) > limit
        return CategoryPage(
            shown, page.total, (shown[-1].position, shown[-1].name) if more else None
        )

    async def packs(self, actor: Actor, *, after: str | None, limit: int) -> PackPage:
        """The packs of which the caller sees anything."""
        async with self.db.reading() as connection:
            page = await counting.count_packs(
                connection, rank=actor.tier.rank, after=after or "", rows=limit + 1
            )
        self.watch.saw(page.version)
        shown = page.rows[:limit]
        return PackPage(shown, page.total, shown[-1].name if len(page.rows) > limit else None)

    async def _seen(self, actor: Actor, rows: Sequence[GalleryRow]) -> Sequence[SeenEmoji]:
        lowest = (await self.identities.tiers())[0].rank
        return [
            SeenEmoji(row, locked=row.tier.rank > actor.tier.rank, public=row.tier.rank <= lowest)
            for row in rows
        ]


def _require_curator(actor: Actor) -> None:
    if actor.is_anonymous:
        raise UnauthenticatedError
    if not actor.has_scope("curator"):
        raise ForbiddenError("Only curators see inactive emojis.")
