from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from granian.server.embed import Server
from starlette.types import Receive, Scope, Send

from emoji_gallery.cli import http_server
from emoji_gallery.cli.http_server import (
    CannotListenError,
    ServerFailedError,
    require_free,
    serving,
)
from tests.service import free_port

_HOST = "127.0.0.1"


class _App:
    """Answers with the path; `/slow` only when it is told to."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if scope["path"] == "/slow":
            self.arrived.set()
            await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})


async def test_requests_are_answered_within_the_block_only() -> None:
    port = free_port()
    async with serving(_App(), host=_HOST, port=port), httpx.AsyncClient() as client:
        assert (await client.get(f"http://{_HOST}:{port}/here")).text == "/here"
    with pytest.raises(OSError, match="Connect"):
        await asyncio.open_connection(_HOST, port)


async def test_request_in_progress_is_finished_before_the_end() -> None:
    port, app = free_port(), _App()
    async with httpx.AsyncClient() as client:
        async with serving(app, host=_HOST, port=port):
            answer = asyncio.create_task(client.get(f"http://{_HOST}:{port}/slow"))
            await app.arrived.wait()
            asyncio.get_running_loop().call_later(0.05, app.go_on.set)
        assert (await answer).text == "/slow"


async def test_port_of_another_program_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "_LEAVE_SECONDS", 0.05)
    with socket.create_server((_HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotListenError, match=f"port {port} is in use: choose another"):
            await require_free(_HOST, port)


async def test_port_of_a_program_that_is_stopping_is_waited_for() -> None:
    other = socket.create_server((_HOST, 0))
    asyncio.get_running_loop().call_later(0.05, other.close)
    await asyncio.wait_for(require_free(_HOST, other.getsockname()[1]), timeout=10)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
async def test_address_that_is_not_ours_is_refused(host: str) -> None:
    with pytest.raises(CannotListenError, match=f"cannot listen on {host}:8000: "):
        await require_free(host, 8000)


async def test_server_that_ends_by_itself_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    async def end_at_once(_server: object) -> None:
        """End as granian does when its worker has failed."""

    monkeypatch.setattr(Server, "serve", end_at_once)
    with pytest.raises(ServerFailedError):
        async with serving(_App(), host=_HOST, port=free_port()):
            pass
