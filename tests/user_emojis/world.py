"""One process with user emojis: real database, Valkey, children and tasks, and who calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from starlette.types import ASGIApp

from emoji_gallery.accounts.feature import local_identities
from emoji_gallery.accounts.service.local_keys import LocalKeys
from emoji_gallery.assets.feature import AssetParts
from emoji_gallery.assets.feature import build as build_assets
from emoji_gallery.assets.service.library import Assets
from emoji_gallery.assets.settings import AssetSettings
from emoji_gallery.contracts.identity import Scope
from emoji_gallery.contracts.ids import USER_EMOJI_PREFIX, UserEmojiId, UserId
from emoji_gallery.edge.app import create_app, layered
from emoji_gallery.edge.auth import Identify
from emoji_gallery.edge.feature import Feature
from emoji_gallery.edge.paging import CursorCodec
from emoji_gallery.edge.paths import NormalisePath
from emoji_gallery.kit.clock import utc_now
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.limiter import Limiter
from emoji_gallery.kit.objects import ObjectStore
from emoji_gallery.kit.outbox.queue import OutboxQueue
from emoji_gallery.kit.outbox.worker import OutboxWorker, WorkerSettings
from emoji_gallery.kit.typeids import parse_id
from emoji_gallery.media.renderer import Renderer
from emoji_gallery.user_emojis.feature import UserEmojiParts, build
from emoji_gallery.user_emojis.models import task_tables
from emoji_gallery.user_emojis.settings import UploadSettings
from tests.clients import client_of

KEYS: Final = LocalKeys(b"a local secret of 32 characters!")
SPEEDY: Final = WorkerSettings(task_concurrency=2, task_lease_seconds=1, task_grace_seconds=5)

ALICE: Final = UserId("alice")
BOB: Final = UserId("bob")


@dataclass
class Time:
    """Stands still until the test lets time pass."""

    now: datetime = field(default_factory=utc_now)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class World:
    """The process; `app` is what a server would serve."""

    db: Database
    objects: ObjectStore
    renderer: Renderer
    limiter: Limiter
    folder: Path
    settings: UploadSettings = field(default_factory=UploadSettings)
    time: Time = field(default_factory=Time)

    def __post_init__(self) -> None:
        self.assets = self._build_assets()
        self.queue = OutboxQueue([task_tables])
        parts = UserEmojiParts(
            db=self.db,
            queue=self.queue,
            assets=self.assets,
            renderer=self.renderer,
            limiter=self.limiter,
            clock=self.time,
        )
        self.feature: Feature = build(parts, settings=self.settings, data_dir=self.folder)
        self.identities = local_identities(db=self.db, keys=KEYS, clock=self.time)
        self.api: FastAPI = create_app([self.feature], {CursorCodec: CursorCodec(b"c" * 32)})
        self.app: ASGIApp = layered(
            self.api, [NormalisePath, lambda inner: Identify(inner, self.identities)]
        )

    def _build_assets(self) -> Assets:
        parts = AssetParts(
            db=self.db,
            objects=self.objects,
            renderer=self.renderer,
            limiter=self.limiter,
            clock=self.time,
            registry=CollectorRegistry(),
        )
        self.asset_feature = build_assets(
            parts, settings=AssetSettings(), secret=b"s" * 32, referring=["user_emojis"]
        )
        assets = self.asset_feature.services[Assets]
        assert isinstance(assets, Assets)
        return assets

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The life of the process, without a worker."""
        async with self.asset_feature.background[0](), self.feature.background[0]():
            yield

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """The tasks are run during the block."""
        worker = OutboxWorker(
            self.db, features=[task_tables], handlers=self.feature.tasks, settings=SPEEDY
        )
        async with worker.running():
            yield

    def client(
        self,
        user: UserId = ALICE,
        *,
        tier: str | None = None,
        scopes: Sequence[Scope] = (),
        acting_for: UserId | None = None,
    ) -> httpx.AsyncClient:
        """Somebody with a token that holds."""
        token = KEYS.issue(user, tier=tier, scopes=scopes, now=self.time(), ttl=timedelta(days=400))
        client = client_of(self.app, token=token)
        if acting_for is not None:
            client.headers["Emoji-Actor"] = quote(acting_for, safe="")
        return client

    async def upload(
        self, content: bytes, *, user: UserId = ALICE, tier: str | None = None, **fields: Any
    ) -> httpx.Response:
        """Upload a picture of any content as `cat.png`."""
        async with self.client(user, tier=tier) as client:
            return await client.post("/emoji/", files={"file": ("cat.png", content)}, data=fields)

    async def keep(
        self, content: bytes, *, user: UserId = ALICE, tier: str | None = None, **fields: Any
    ) -> str:
        """Upload a picture, which must succeed; its id."""
        answer = await self.upload(content, user=user, tier=tier, **fields)
        assert answer.status_code == 201, answer.text
        emoji_id: str = answer.json()["id"]
        return emoji_id

    async def used(self, user: UserId = ALICE) -> int:
        """How many slots a user has taken, as the user is told."""
        async with self.client(user) as client:
            used: int = (await client.get("/me")).json()["uploads"]["used"]
        return used

    async def listed(self, user: UserId = ALICE) -> list[dict[str, Any]]:
        """What a user is told to have."""
        async with self.client(user) as client:
            answer = await client.get(f"/user/emojis/{quote(user, safe='')}?limit=200")
        items: list[dict[str, Any]] = answer.json()["items"]
        assert answer.json()["total"] == len(items)
        return items

    async def run(self, statement: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Run SQL; the rows that it returns."""
        async with self.db.transaction() as tx:
            result = await tx.execute(text(statement), parameters)
            return [tuple(row) for row in result] if result.returns_rows else []

    async def stored(self) -> set[str]:
        """The keys of all objects in the storage."""
        return {
            info.key
            for prefix in ("sources", "renditions")
            async for page in self.objects.pages(prefix)
            for info in page
        }

    def spooled(self) -> list[Path]:
        """What lies in the spool."""
        paths = (self.folder / "spool").rglob("*")
        return [path for path in paths if path.is_file() and path.name != "in-use"]


def uuid_of(emoji_id: str) -> UserEmojiId:
    """What a wire id stands for."""
    return UserEmojiId(parse_id(USER_EMOJI_PREFIX, emoji_id))
