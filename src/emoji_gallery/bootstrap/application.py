"""One process: its features behind the layers of the edge, as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import TypeVar

import structlog
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Receive, Scope, Send

from emoji_gallery.bootstrap.features import build_features
from emoji_gallery.bootstrap.resources import TASK_TABLES, Resources
from emoji_gallery.edge.addresses import ClientAddresses, parse_networks
from emoji_gallery.edge.app import create_app, layered
from emoji_gallery.edge.auth import Identify
from emoji_gallery.edge.cors import cors_layer
from emoji_gallery.edge.health import Check, Health
from emoji_gallery.edge.limits import RateLimits
from emoji_gallery.edge.page_cache import PageCache
from emoji_gallery.edge.paging import CursorCodec
from emoji_gallery.edge.paths import NormalisePath
from emoji_gallery.edge.provide import require_services, service_of
from emoji_gallery.edge.request_context import RequestContext
from emoji_gallery.edge.request_metrics import RequestMetrics
from emoji_gallery.gallery.endpoints.kept import KeptPages
from emoji_gallery.kit.outbox.schedule import Schedule
from emoji_gallery.kit.outbox.worker import OutboxWorker
from emoji_gallery.roles import Role, parse_role

_Service = TypeVar("_Service")

log = structlog.get_logger(__name__)


class Application:
    """The ASGI application of a process, and its life."""

    def __init__(self, resources: Resources) -> None:
        """Build what the role in the settings names; `running` brings it to life."""
        self.resources = resources
        self.role: Role = parse_role(resources.settings.process.role)
        self._all = build_features(resources)
        self.features = [self._all[name] for name in self.role.features]
        self.worker = self._make_worker() if self.role.works else None
        self.health = Health(checks=self._checks())
        self.addresses = ClientAddresses(parse_networks(resources.settings.proxies.trusted_proxies))
        services = {
            Health: self.health,
            CollectorRegistry: resources.registry,
            ClientAddresses: self.addresses,
            CursorCodec: resources.cursors,
        }
        self.api = create_app(self.features, services)
        routers = [router for feature in self.features for router in feature.routers]
        require_services(routers, self.api.state.services)
        self._serve = self._layered()

    def service(self, kind: type[_Service]) -> _Service:
        """A service of this process, of whichever feature; raises `MissingServiceError`."""
        return service_of(self.api.state.services, kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of the server that holds this application."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        await self._serve(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run everything that goes on beside the requests; ready within, drained after."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.resources.renderer)
            for feature in self.features:
                for background in feature.background:
                    await stack.enter_async_context(background())
            if self.worker is not None:
                await stack.enter_async_context(self.worker.running())
                await stack.enter_async_context(self._schedule().running())
            self.health.serving = True
            log.info("process.ready", features=[feature.name for feature in self.features])
            try:
                yield
            finally:
                self.health.serving = False

    def _layered(self) -> ASGIApp:
        resources = self.resources
        metrics = RequestMetrics(resources.registry)
        return layered(
            self.api,
            [
                lambda app: RequestContext(app, metrics, resources.settings.requests),
                lambda app: cors_layer(app, resources.settings.cors),
                NormalisePath,
                lambda app: Identify(app, resources.identities),
                lambda app: RateLimits(
                    app, resources.limiter, resources.identities, self.addresses
                ),
                self._page_cache,
            ],
        )

    def _page_cache(self, app: ASGIApp) -> ASGIApp:
        if "gallery" not in self.role.features:
            return app
        return PageCache(app, self.service(KeptPages).pages, self.resources.pages)

    def _checks(self) -> Mapping[str, Check]:
        checks: dict[str, Check] = {
            "postgresql": self.resources.database.ping,
            "redis": self.resources.redis.ping,
        }
        if self.worker is not None:
            checks["tasks"] = self.worker.check
        return checks

    def _make_worker(self) -> OutboxWorker:
        return OutboxWorker(
            self.resources.worker_database,
            features=TASK_TABLES,
            handlers=[task for feature in self._all.values() for task in feature.tasks],
            settings=self.resources.settings.worker,
            observer=self.resources.observer,
        )

    def _schedule(self) -> Schedule:
        return Schedule(
            self.resources.worker_database,
            features=TASK_TABLES,
            tasks=[task for feature in self._all.values() for task in feature.periodic],
            clock=self.resources.clock,
            observer=self.resources.observer,
            random=Random(),  # noqa: S311 (it spreads pauses, it guards nothing)
        )

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self.running():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            log.exception("process.failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})
