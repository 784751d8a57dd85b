"""The feature's manifest: the gallery's routes, the answers that are kept, and the watch."""

from __future__ import annotations

from dataclasses import dataclass

from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.identity import Identities
from emoji_gallery.edge.feature import Feature
from emoji_gallery.edge.paging import CursorCodec
from emoji_gallery.gallery.endpoints import emojis, overviews
from emoji_gallery.gallery.endpoints.cursors import PageCursors
from emoji_gallery.gallery.endpoints.kept import KeptPages, kept_pages
from emoji_gallery.gallery.schemas.answers import Answers
from emoji_gallery.gallery.service.browsing import BrowseGallery
from emoji_gallery.gallery.service.curating import CurateEmoji
from emoji_gallery.gallery.service.exporting import ExportPack
from emoji_gallery.gallery.service.importing import ImportPack
from emoji_gallery.gallery.service.intake import TakeArt
from emoji_gallery.gallery.service.watching import CatalogueWatch
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database
from emoji_gallery.media.renderer import Renderer


@dataclass(frozen=True)
class GalleryParts:
    """What the feature is built from."""

    db: Database
    assets: Assets
    identities: Identities
    renderer: Renderer
    cursors: CursorCodec
    clock: Clock


def build(parts: GalleryParts) -> Feature:
    """The routes under `/gallery`, and what the `packs` commands use."""
    db, assets, identities = parts.db, parts.assets, parts.identities
    watch = CatalogueWatch(db)
    return Feature(
        name="gallery",
        routers=[overviews.router, emojis.router],
        services={
            CatalogueWatch: watch,
            BrowseGallery: BrowseGallery(db, identities, watch),
            CurateEmoji: CurateEmoji(db, assets, identities, watch, parts.clock),
            Answers: Answers(assets),
            PageCursors: PageCursors(parts.cursors),
            ImportPack: ImportPack(
                db, assets, TakeArt(db, assets, parts.renderer), identities, parts.clock
            ),
            ExportPack: ExportPack(db, assets),
            KeptPages: KeptPages(kept_pages(watch, assets)),
        },
        background=[watch.watching],
    )
