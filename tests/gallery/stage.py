"""A process of the gallery for tests: real database, storage and children."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from prometheus_client import CollectorRegistry
from sqlalchemy import event, text
from starlette.types import ASGIApp

from emoji_gallery.accounts.feature import local_identities
from emoji_gallery.accounts.service.identities import LocalIdentities
from emoji_gallery.accounts.service.local_keys import LocalKeys
from emoji_gallery.assets import feature as assets_feature
from emoji_gallery.assets.feature import AssetParts
from emoji_gallery.assets.service.library import Assets
from emoji_gallery.assets.settings import AssetSettings
from emoji_gallery.contracts.identity import Scope
from emoji_gallery.contracts.ids import EMOJI_PREFIX, EmojiId, UserId
from emoji_gallery.edge.app import create_app, layered
from emoji_gallery.edge.auth import Identify
from emoji_gallery.edge.feature import Feature
from emoji_gallery.edge.page_cache import PageCache, PageStore
from emoji_gallery.edge.paging import CursorCodec
from emoji_gallery.edge.paths import NormalisePath
from emoji_gallery.edge.provide import service_of
from emoji_gallery.gallery import feature as gallery_feature
from emoji_gallery.gallery.endpoints.kept import KeptPages
from emoji_gallery.gallery.feature import GalleryParts
from emoji_gallery.gallery.service.exporting import ExportPack
from emoji_gallery.gallery.service.importing import ImportPack, ImportReport
from emoji_gallery.gallery.service.pack_files import open_pack
from emoji_gallery.gallery.service.watching import CatalogueWatch
from emoji_gallery.kit.clock import utc_now
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.local_limiter import LocalLimiter
from emoji_gallery.kit.objects import ObjectStore
from emoji_gallery.kit.typeids import parse_id
from emoji_gallery.media.renderer import Renderer
from tests.clients import client_of
from tests.gallery.packs import Pack

KEYS: Final = LocalKeys(b"a local secret of 32 characters!")
CURSORS: Final = CursorCodec(b"a secret of at least sixteen bytes")
CURATOR: Final[Sequence[Scope]] = ("curator",)

Item = dict[str, Any]


@dataclass
class Gallery:
    """One process; several may share database and storage."""

    db: Database
    objects: ObjectStore
    renderer: Renderer
    tmp: Path
    store: PageStore | None = None
    identities: LocalIdentities = field(init=False)
    assets: Assets = field(init=False)
    feature: Feature = field(init=False)
    app: ASGIApp = field(init=False)

    def __post_init__(self) -> None:
        """Build the process."""
        self.identities = local_identities(db=self.db, keys=KEYS, clock=utc_now)
        asset_parts = AssetParts(
            db=self.db,
            objects=self.objects,
            renderer=self.renderer,
            limiter=LocalLimiter(replicas=1),
            clock=utc_now,
            registry=CollectorRegistry(),
        )
        assets = assets_feature.build(
            asset_parts, settings=AssetSettings(), secret=b"s" * 32, referring=["gallery"]
        )
        self.assets = service_of(assets.services, Assets)
        self.feature = gallery_feature.build(
            GalleryParts(
                db=self.db,
                assets=self.assets,
                identities=self.identities,
                renderer=self.renderer,
                cursors=CURSORS,
                clock=utc_now,
            )
        )
        pages = service_of(self.feature.services, KeptPages).pages
        self.app = layered(
            create_app([self.feature], {}),
            [
                NormalisePath,
                lambda app: Identify(app, self.identities),
                lambda app: PageCache(app, pages, self.store),
            ],
        )

    @property
    def importer(self) -> ImportPack:
        """What imports packs here."""
        return service_of(self.feature.services, ImportPack)

    @property
    def exporter(self) -> ExportPack:
        """What exports packs here."""
        return service_of(self.feature.services, ExportPack)

    @property
    def watch(self) -> CatalogueWatch:
        """What this process knows of the catalogue's version."""
        return service_of(self.feature.services, CatalogueWatch)

    def sibling(self, store: PageStore | None = None) -> Gallery:
        """Another process on the same database and storage."""
        return Gallery(self.db, self.objects, self.renderer, self.tmp, store)

    async def bring(self, pack: Pack, *, reset: bool = False) -> ImportReport:
        """Import a pack from a folder."""
        with open_pack(pack.write(self.tmp / pack.name)) as files:
            return await self.importer.run(files, reset=reset)

    def token(self, tier: str = "free", scopes: Sequence[Scope] = ()) -> str:
        """A token of a user on a tier."""
        return KEYS.issue(
            UserId(f"{tier} user"), tier=tier, scopes=scopes, now=utc_now(), ttl=timedelta(hours=1)
        )

    async def ask(
        self,
        path: str,
        *,
        by: str | None = None,
        scopes: Sequence[Scope] = (),
        method: str = "GET",
        json: object = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        """Make a request, anonymous unless by a user of a tier."""
        token = None if by is None else self.token(by, scopes)
        async with client_of(self.app, token=token) as client:
            return await client.request(
                method,
                path,
                params={key: str(value) for key, value in query.items()} if query else None,
                json=json,
                headers=dict(headers or {}),
            )

    async def page(self, *, by: str | None = None, **query: object) -> Item:
        """A page of the gallery that has to be given."""
        response = await self.ask("/gallery", by=by, query=query)
        assert response.status_code == 200, response.text
        body: Item = response.json()
        return body

    async def names(self, *, by: str | None = None, **query: object) -> list[str]:
        """The names on a page."""
        return [item["name"] for item in (await self.page(by=by, **query))["items"]]

    async def walk(self, *, by: str | None = None, **query: object) -> list[Item]:
        """All items of a list, page by page."""
        page = await self.page(by=by, **query)
        items: list[Item] = list(page["items"])
        while page["next_cursor"] is not None:
            page = await self.page(by=by, cursor=page["next_cursor"], **query)
            items += page["items"]
        return items

    async def item(self, name: str, *, by: str = "business", **query: object) -> Item:
        """The listed item of that name."""
        found = [one for one in await self.walk(by=by, **query) if one["name"] == name]
        assert len(found) == 1, f"{len(found)} are called {name}"
        return found[0]

    async def curate(self, name: str, /, **change: object) -> Item:
        """Change the emoji of that name as a curator; it has to be allowed."""
        item = await self.item(name, include_variants=True)
        response = await self.ask(
            f"/gallery/{item['id']}", method="PATCH", json=change, by="free", scopes=CURATOR
        )
        assert response.status_code == 200, response.text
        body: Item = response.json()
        return body

    async def inactive(self) -> list[str]:
        """The names of emojis that are switched off."""
        query = {"active": "false", "include_variants": "true"}
        response = await self.ask("/gallery", by="business", scopes=CURATOR, query=query)
        return [item["name"] for item in response.json()["items"]]

    async def rows(self, statement: str, **parameters: object) -> Sequence[tuple[Any, ...]]:
        """Run SQL; the rows that it returns."""
        async with self.db.transaction() as tx:
            result = await tx.execute(text(statement), parameters)
            return [tuple(row) for row in result] if result.returns_rows else []

    @contextmanager
    def queries(self) -> Iterator[list[str]]:
        """The statements that this process sends during the block."""
        sent: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            sent.append(statement)

        engine = self.db.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note)


def uuid_of(item: Item) -> EmojiId:
    """The id of an item as the database has it."""
    return EmojiId(parse_id(EMOJI_PREFIX, item["id"]))
