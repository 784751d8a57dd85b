"""The outermost layer of a request: its id, its log line, its metrics, the last resort."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Final, Literal
from uuid import uuid4

import structlog
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emoji_gallery.edge.problems import MEDIA_TYPE, problem_body
from emoji_gallery.edge.request_metrics import RequestMetrics

_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_HEADER: Final = b"x-request-id"
_SLOW_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)

MakeId = Callable[[], str]


class RequestLogSettings(BaseSettings):
    """Which requests are logged."""

    model_config = SettingsConfigDict(frozen=True)

    log_requests: Literal["all", "failures"] = Field(
        default="all",
        description="`all` logs a line for each request; `failures` only for answers of 400 and "
        "above and those that took a second, for a process behind a proxy that logs the rest.",
    )


def random_request_id() -> str:
    """32 hex digits that nobody can guess."""
    return uuid4().hex


@dataclass(frozen=True)
class RequestContext:
    """ASGI middleware around everything else.

    Echoes a sane `X-Request-ID` or makes one, binds it to every log line of the request,
    counts and times the answer, and turns a bug into a 500 that tells nothing.
    """

    app: ASGIApp
    metrics: RequestMetrics
    settings: RequestLogSettings
    make_id: MakeId = random_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        request_id = self._request_id(scope)
        answer = _Answer(send, request_id.encode("latin-1"))
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, answer.send)
            except Exception:
                log.exception("request.crashed", method=scope["method"], path=scope["path"])
                if answer.status is None:
                    await _send_bug(answer.send, scope["path"])
            finally:
                self._report(scope, answer.status, perf_counter() - started)

    def _request_id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == _HEADER and _SANE_ID.fullmatch(value):
                sane: str = value.decode("latin-1")
                return sane
        return self.make_id()

    def _report(self, scope: Scope, status: int | None, seconds: float) -> None:
        routed = scope.get("route")
        route = scope.get("cached_route", "unmatched") if routed is None else routed.path
        self.metrics.observe(
            method=scope["method"], route=route, status=status or 499, seconds=seconds
        )
        if self._is_unremarkable(status, seconds):
            return
        log.info(
            "request.finished",
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
        )

    def _is_unremarkable(self, status: int | None, seconds: float) -> bool:
        if self.settings.log_requests == "all" or status is None:
            return False
        return status < HTTPStatus.BAD_REQUEST and seconds < _SLOW_SECONDS


class _Answer:
    """Watches what is sent, and adds the request's id to it."""

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send = send
        self._request_id = request_id
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            headers = [*message.get("headers", ()), (_HEADER, self._request_id)]
            message = {**message, "headers": headers}
        await self._send(message)


async def _send_bug(send: Send, path: str) -> None:
    body = problem_body(
        status=500,
        code="internal_error",
        title="Something went wrong on our side.",
        detail="Something went wrong on our side.",
        instance=path,
        fields={},
    )
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
