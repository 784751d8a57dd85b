"""The body of an upload as it comes over HTTP: paced, taken apart, and read to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import ClientDisconnect

from emoji_gallery.edge.drain import drain
from emoji_gallery.edge.provide import Provided
from emoji_gallery.kit.errors import ProblemError
from emoji_gallery.user_emojis.endpoints.multipart import FormReader, boundary_of
from emoji_gallery.user_emojis.errors import SlowBodyError, UploadInterruptedError
from emoji_gallery.user_emojis.ports import UploadForm


@dataclass(frozen=True)
class Pace:
    """How slowly a body may come: bytes a second on average, after `grace_seconds`."""

    idle_seconds: float
    min_bytes_per_second: int
    grace_seconds: float = 20.0


class UploadBody:
    """One request's body; fulfils the port `IncomingUpload`."""

    def __init__(self, request: Request, pace: Pace, *, now: Callable[[], float]) -> None:
        """Read nothing yet; `now` is a clock in seconds that never goes back."""
        self.received_bytes = 0
        self._request = request
        self._pace = pace
        self._now = now
        self._stream = request.stream()
        self._over = False
        self._reader: FormReader | None = None

    @property
    def declared_bytes(self) -> int | None:
        """What `Content-Length` says, if it says something."""
        declared = self._request.headers.get("Content-Length", "")
        return int(declared) if declared.isascii() and declared.isdigit() else None

    async def file_pieces(self) -> AsyncIterator[bytes]:
        """The bytes of the part `file` as they come, empty where a chunk held none."""
        reader = FormReader(boundary_of(self._request.headers.get("Content-Type")))
        self._reader = reader
        started = self._now()
        while not self._over:
            piece = reader.feed(await self._next_chunk())
            self._check_pace(self._now() - started)
            yield piece

    def form(self) -> UploadForm:
        """What else the form held; raises `InvalidFormError` when it was cut off."""
        if self._reader is None:
            message = "the body has not been read"
            raise RuntimeError(message)
        form = self._reader.close()
        return UploadForm(file_name=form.file_name or "", name=form.name, tags=form.tags)

    async def drain(self) -> None:
        """Read and drop what is left of the body, within bounds.

        Who asked whether to send at all is not invited to, but once a part has come, more will.
        """
        if self._over:
            return
        has_begun = self.received_bytes > 0
        await drain({"headers": ()} if has_begun else self._request.scope, self._request.receive)

    async def _next_chunk(self) -> bytes:
        try:
            async with asyncio.timeout(self._pace.idle_seconds):
                chunk = await anext(self._stream, b"")
        except TimeoutError:
            self._over = True
            raise SlowBodyError from None
        except ClientDisconnect:
            self._over = True
            raise UploadInterruptedError from None
        # Starlette ends its stream with an empty chunk.
        self._over = not chunk
        self.received_bytes += len(chunk)
        return chunk

    def _check_pace(self, elapsed: float) -> None:
        late = elapsed - self._pace.grace_seconds
        if not self._over and self.received_bytes < late * self._pace.min_bytes_per_second:
            self._over = True
            raise SlowBodyError


async def body_of_upload(
    request: Request, pace: Annotated[Pace, Provided(Pace)]
) -> AsyncIterator[UploadBody]:
    """Lend the body; a refusal leaves only when the rest has been read and dropped."""
    body = UploadBody(request, pace, now=monotonic)
    try:
        yield body
    except ProblemError:
        await body.drain()
        raise


# To be asked for first, so that it is also there for what other dependencies refuse.
BodyOfUpload = Annotated[UploadBody, Depends(body_of_upload)]
