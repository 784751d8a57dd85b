"""A process of assets for tests: real database, storage and children, a clock that is set."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import event, text

from emoji_gallery.assets.feature import AssetParts, build
from emoji_gallery.assets.rules.links import AssetFacts
from emoji_gallery.assets.rules.signing import Audience
from emoji_gallery.assets.service.collector import Collector
from emoji_gallery.assets.service.delivery import DeliverRendition
from emoji_gallery.assets.service.library import Assets
from emoji_gallery.assets.settings import AssetSettings
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.edge.addresses import ClientAddresses
from emoji_gallery.edge.app import create_app
from emoji_gallery.edge.feature import Feature
from emoji_gallery.edge.provide import service_of
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.local_limiter import LocalLimiter
from emoji_gallery.kit.objects import ObjectStore
from emoji_gallery.media.renderer import Renderer
from emoji_gallery.media.types import Limits, Probe, Shape
from tests.clients import client_of

# The schema whose view says what is needed; tests write the table behind it.
KEEPER: Final = "keeper"


def svg(fill: str) -> bytes:
    """A source of its own for each colour."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">'
        f'<circle cx="36" cy="36" r="30" fill="{fill}"/></svg>'
    ).encode()


@dataclass
class SetClock:
    """Shows the time that it was set to."""

    now: datetime = datetime(2026, 7, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def advance(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)


@dataclass
class Stage:
    """One process; several of them may share database and storage."""

    db: Database
    objects: ObjectStore
    renderer: Renderer
    tmp: Path
    settings: AssetSettings = field(default_factory=AssetSettings)
    clock: SetClock = field(default_factory=SetClock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        """Build the feature."""
        parts = AssetParts(
            db=self.db,
            objects=self.objects,
            renderer=self.renderer,
            limiter=LocalLimiter(replicas=1),
            clock=self.clock,
            registry=self.registry,
        )
        self.feature: Feature = build(
            parts, settings=self.settings, secret=b"s" * 32, referring=[KEEPER]
        )
        self.assets: Assets = service_of(self.feature.services, Assets)
        self.delivery: DeliverRendition = service_of(self.feature.services, DeliverRendition)
        self.collector: Collector = self.assets.collector
        self.app: FastAPI = create_app([self.feature], {ClientAddresses: ClientAddresses()})

    def digest_of(self, source: bytes) -> Digest:
        """What the source is known by."""
        return Digest(hashlib.sha256(source).hexdigest())

    async def probe(self, source: bytes) -> Probe:
        """Its measured facts."""
        return await self.renderer.probe(source, limits=Limits())

    async def ingest(self, source: bytes) -> Digest:
        """Store a source and hold it."""
        digest = self.digest_of(source)
        path = self.tmp / digest
        path.write_bytes(source)
        await self.assets.ingest(path, digest=digest)
        return digest

    async def keep(self, source: bytes, *, public: bool = False) -> AssetFacts:
        """What a feature does with bytes: ingest, register and refer to them, in that order."""
        digest = await self.ingest(source)
        probe = await self.probe(source)
        await self.register(digest, probe, size=len(source), public=public)
        return AssetFacts(digest, probe.shape)

    async def register(
        self, digest: Digest, probe: Probe, *, size: int = 1, public: bool = False
    ) -> None:
        """Register what was ingested, and refer to it."""
        async with self.db.transaction() as tx:
            await self.assets.register(tx, digest, probe, size=size)
            await tx.execute(
                text("INSERT INTO keeper.kept (digest) VALUES (:digest)"), {"digest": digest}
            )
            if public:
                await self.assets.publish(tx, [digest])

    async def let_go(self, digest: Digest) -> None:
        """Refer to it no more."""
        await self.run("DELETE FROM keeper.kept WHERE digest = :digest", digest=digest)

    async def run(self, statement: str, **parameters: object) -> Sequence[tuple[object, ...]]:
        """Run SQL; the rows that it returns."""
        async with self.db.transaction() as tx:
            result = await tx.execute(text(statement), parameters)
            return [tuple(row) for row in result] if result.returns_rows else []

    def url(
        self, facts: AssetFacts, name: str = "64.webp", *, audience: Audience = Audience.INHOUSE
    ) -> str:
        """A URL for a rendition, also for one that the picture does not have."""
        shape = Shape(1024, 1024, vector=True, animated=name.endswith(".gif"))
        any_size = AssetFacts(facts.digest, shape)
        return self.assets.renditions(any_size, audience=audience, names=[name])[name].url

    async def get(self, url: str, **headers: str) -> httpx.Response:
        """Ask for a file."""
        return await self.request("GET", url, **headers)

    async def request(self, method: str, url: str, **headers: str) -> httpx.Response:
        """Make a request; underscores of header names are hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with client_of(self.app) as client:
            return await client.request(method, url, headers=sent)

    def counted(self, metric: str, /, **labels: str) -> float:
        """What a counter says."""
        return self.registry.get_sample_value(f"{metric}_total", labels) or 0

    def sibling(
        self,
        settings: AssetSettings | None = None,
        *,
        db: Database | None = None,
        objects: ObjectStore | None = None,
        renderer: Renderer | None = None,
    ) -> Stage:
        """Another process, by default on the same database and storage, in the same time."""
        return replace(
            self,
            settings=settings or self.settings,
            db=db or self.db,
            objects=objects or self.objects,
            renderer=renderer or self.renderer,
            registry=CollectorRegistry(),
        )

    async def stored(self) -> set[str]:
        """The keys of all objects."""
        return {
            info.key
            for prefix in ("sources", "renditions")
            async for page in self.objects.pages(prefix)
            for info in page
        }

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

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The life of the process' background work."""
        async with self.feature.background[0]():
            yield
