"""Reads a body that nobody wants."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Receive, Scope

_MOST_BYTES: Final = 64 * 1024 * 1024
_MOST_SECONDS: Final = 20.0


async def drain(scope: Scope, receive: Receive) -> None:
    """Read and drop a request's body, within bounds, before it is refused.

    A client that is still sending when the connection closes does not get to read why. One that
    asked whether to send at all (`Expect: 100-continue`) has not begun, and is not invited to.
    """
    if any(name == b"expect" for name, _ in scope["headers"]):
        return
    received = 0
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            while received < _MOST_BYTES:
                message = await receive()
                received += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return
