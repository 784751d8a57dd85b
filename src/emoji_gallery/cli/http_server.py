"""granian in this process and on this event loop, so that one process serves and works."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

import structlog
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.types import ASGIApp

log = structlog.get_logger(__name__)

_TICK_SECONDS: Final = 0.01
_START_SECONDS: Final = 10.0
# How long requests in progress may take to end after the server was asked to stop.
_DRAIN_SECONDS: Final = 10.0
# How long another server may hold the port that is already stopping.
_LEAVE_SECONDS: Final = 3.0


class CannotListenError(Exception):
    """The address cannot be listened on; the message is one line."""


class ServerFailedError(Exception):
    """The server ended although nobody asked it to."""


async def require_free(host: str, port: int) -> None:
    """Raise `CannotListenError` when another program keeps the port, or we must not listen.

    granian shares a port with other processes of the same user, so without this look two runs
    would each get half of the requests. A run that is already stopping is waited for.
    """
    deadline = monotonic() + _LEAVE_SECONDS
    while True:
        error = _try_to_bind(host, port)
        if error is None:
            return
        if error.errno != errno.EADDRINUSE:
            raise CannotListenError(f"cannot listen on {host}:{port}: {error.strerror}")
        if monotonic() > deadline:
            raise CannotListenError(f"port {port} is in use: choose another with PORT=…")
        await asyncio.sleep(_TICK_SECONDS)


def _try_to_bind(host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do, so that connections of a server that just ended are not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


@asynccontextmanager
async def serving(app: ASGIApp, *, host: str, port: int) -> AsyncIterator[asyncio.Task[None]]:
    """Serve `app` for the time of the block, which begins when connections are taken.

    The application's life is its caller's business, not the server's. The task that is lent
    ends with `ServerFailedError` if the server fails. After the block, requests in progress get
    seconds to finish.
    """
    await require_free(host, port)
    server = Server(app, address=host, port=port, interface=Interfaces.ASGINL, log_enabled=False)
    stopping = asyncio.Event()
    task = asyncio.create_task(_serve(server, stopping))
    try:
        await _until_connected(task, host, port)
        yield task
    finally:
        stopping.set()
        server.stop()  # type: ignore[no-untyped-call]  # granian leaves it untyped
        done, _ = await asyncio.wait([task], timeout=_DRAIN_SECONDS)
        if not done:
            log.warning("process.requests_cut", after_seconds=_DRAIN_SECONDS)


async def _serve(server: Server, stopping: asyncio.Event) -> None:
    await server.serve()
    if not stopping.is_set():
        raise ServerFailedError("the HTTP server ended by itself; its reason is in the log")


async def _until_connected(task: asyncio.Task[None], host: str, port: int) -> None:
    deadline = monotonic() + _START_SECONDS
    while True:
        if task.done():
            await task
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            if monotonic() > deadline:
                raise
            await asyncio.sleep(_TICK_SECONDS)
        else:
            writer.close()
            return
