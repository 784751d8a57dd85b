"""Liveness, readiness with each dependency's latency, and metrics.

Readiness fails only before start-up is complete and while the process drains: a dependency
that is away is reported as `degraded`, because taking every replica out at once would turn
a partial outage into a whole one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Annotated

import orjson
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from emoji_gallery.edge.provide import Provided
from emoji_gallery.kit.errors import UnavailableError
from emoji_gallery.kit.jsontypes import JSON

router = APIRouter(tags=["operations"])

_CHECK_SECONDS = 2.0

Check = Callable[[], Awaitable[None]]


@dataclass
class Health:
    """What a process says of itself."""

    checks: Mapping[str, Check] = field(default_factory=dict)
    serving: bool = False

    async def dependencies(self) -> dict[str, JSON]:
        """Each dependency with `status` and, where it answered, `latency_ms`."""
        names = list(self.checks)
        reports = await asyncio.gather(*(self._report(self.checks[name]) for name in names))
        return dict(zip(names, reports, strict=True))

    async def _report(self, check: Check) -> dict[str, JSON]:
        started = perf_counter()
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await check()
        except Exception as error:  # noqa: BLE001 (whatever goes wrong there is the answer here)
            return {"status": "degraded", "error": type(error).__name__}
        return {"status": "ok", "latency_ms": round((perf_counter() - started) * 1000, 2)}


HealthOfProcess = Annotated[Health, Provided(Health)]
Registry = Annotated[CollectorRegistry, Provided(CollectorRegistry)]


@router.get("/health/live", summary="Is the process alive")
async def live() -> Response:
    """Answer as long as the event loop turns."""
    return _json({"status": "ok"})


@router.get("/health/ready", summary="Should the process get traffic")
async def ready(health: HealthOfProcess) -> Response:
    """Report each dependency; 503 before start-up is complete and while draining."""
    if not health.serving:
        message = "Starting or draining."
        raise UnavailableError(message)
    dependencies = await health.dependencies()
    degraded = any(
        isinstance(report, dict) and report["status"] != "ok" for report in dependencies.values()
    )
    return _json({"status": "degraded" if degraded else "ok", "dependencies": dependencies})


@router.get("/metrics", summary="Metrics in Prometheus' text format")
async def metrics(registry: Registry) -> Response:
    """Everything that this process has counted."""
    headers = {"Cache-Control": "no-store"}
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers=headers)


def _json(content: Mapping[str, JSON]) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(content), media_type="application/json", headers=headers)
