"""The accounts of one service: real database and outbox, a clock that the test sets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

import httpx
from starlette.types import ASGIApp

from emoji_gallery.accounts.feature import Administration, administration, build, local_identities
from emoji_gallery.accounts.models import task_tables
from emoji_gallery.accounts.ports import TokenKeys
from emoji_gallery.accounts.service.identities import LocalIdentities
from emoji_gallery.accounts.service.local_keys import LocalKeys
from emoji_gallery.contracts.identity import Actor, Scope
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.edge.app import create_app, layered
from emoji_gallery.edge.auth import Identify
from emoji_gallery.edge.feature import Feature
from emoji_gallery.edge.paths import NormalisePath
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.jsontypes import JSON
from emoji_gallery.kit.outbox.queue import OutboxQueue
from tests.accounts.clocks import Time
from tests.clients import client_of

LOCAL = LocalKeys(b"a local secret of 32 characters!")

ALICE = UserId("alice")
BOB = UserId("bob")


@dataclass
class Drawer:
    """A feature that keeps drawings of users, each with the time when it was made."""

    name: str = "drawings"
    kept: dict[UserId, list[tuple[str, datetime]]] = field(default_factory=dict)
    broken: bool = False
    hanging: bool = False
    erasures: int = 0

    def draw(self, user_id: UserId, title: str, at: datetime) -> None:
        self.kept.setdefault(user_id, []).append((title, at))

    def titles(self, user_id: UserId) -> list[str]:
        return [title for title, _ in self.kept.get(user_id, [])]

    async def erase(self, user_id: UserId, *, before: datetime) -> None:
        self.erasures += 1
        if self.hanging:
            await asyncio.Event().wait()
        if self.broken:
            raise RuntimeError("the drawer is stuck")
        drawings = self.kept.get(user_id, [])
        self.kept[user_id] = [(title, at) for title, at in drawings if at >= before]

    async def export(self, user_id: UserId) -> JSON:
        if self.broken:
            raise RuntimeError("the drawer is stuck")
        return [{"title": title} for title in self.titles(user_id)]


@dataclass(frozen=True)
class World:
    """One process with accounts, and whoever calls it."""

    db: Database
    time: Time
    drawer: Drawer
    identities: LocalIdentities
    feature: Feature
    app: ASGIApp
    desk: Administration

    def token(
        self,
        user_id: UserId = ALICE,
        *,
        tier: str | None = None,
        scopes: Sequence[Scope] = (),
        ttl: timedelta = timedelta(hours=1),
    ) -> str:
        """A token that holds."""
        return LOCAL.issue(user_id, tier=tier, scopes=scopes, now=self.time(), ttl=ttl)

    async def actor(self, token: str | None, acting_for: str | None = None) -> Actor:
        """Whom the service takes the bearer of a token for."""
        authorization = None if token is None else f"Bearer {token}"
        return await self.identities.authenticate(authorization, acting_for)

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        acting_for: UserId | None = None,
        json: object = None,
    ) -> httpx.Response:
        """Send one request."""
        headers = {} if acting_for is None else {"Emoji-Actor": quote(acting_for, safe="")}
        async with client_of(self.app, token=token) as client:
            return await client.request(method, path, headers=headers, json=json)


def world_of(db: Database, time: Time, *, keys: TokenKeys = LOCAL) -> World:
    """A process of its own on a database; several may share one."""
    drawer = Drawer()
    queue = OutboxQueue([task_tables])
    identities = local_identities(db=db, keys=keys, clock=time)
    feature = build(db=db, queue=queue, clock=time, identities=identities, user_data=[drawer])
    api = create_app([feature], {})
    app = layered(api, [NormalisePath, lambda inner: Identify(inner, identities)])
    desk = administration(db=db, queue=queue, clock=time)
    return World(db, time, drawer, identities, feature, app, desk)
