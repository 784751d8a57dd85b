"""One process: its features behind the layers of the edge, as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send

from emoji_gallery.bootstrap.resources import Resources
from emoji_gallery.edge.app import create_app, layered
from emoji_gallery.edge.feature import Feature
from emoji_gallery.edge.health import Health
from emoji_gallery.edge.paths import NormalisePath
from emoji_gallery.edge.request_context import RequestContext
from emoji_gallery.edge.request_metrics import RequestMetrics

log = structlog.get_logger(__name__)


class Application:
    """The ASGI application of a process, and its life."""

    def __init__(self, resources: Resources, features: Sequence[Feature]) -> None:
        """Build everything; `running` brings it to life."""
        self.resources = resources
        self.features = features
        self.health = Health(checks={"postgresql": resources.database.ping})
        self.api = self._create_api()
        metrics = RequestMetrics(resources.registry)
        self._serve = layered(
            self.api,
            [lambda app: RequestContext(app, metrics, resources.settings.requests), NormalisePath],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of the server that holds this application."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        await self._serve(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve between start and drain of everything that runs beside the requests."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.resources.database.close)
            for feature in self.features:
                for background in feature.background:
                    await stack.enter_async_context(background())
            self.health.serving = True
            log.info("process.ready", features=[feature.name for feature in self.features])
            try:
                yield
            finally:
                self.health.serving = False

    def _create_api(self) -> FastAPI:
        services: dict[type, object] = {
            Health: self.health,
            CollectorRegistry: self.resources.registry,
        }
        return create_app(self.features, services)

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
