"""A whole answer as bytes: taken from an application, kept, given again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import Final

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]

# These are decided anew for every request, or by the server that sends the answer.
_NOT_KEPT: Final = frozenset({b"etag", b"vary", b"cache-control", b"content-length", b"date"})

# Headers of a 200 that a 304 repeats (RFC 9110, 15.4.5), beside ETag, Vary and Cache-Control.
_OF_304: Final = frozenset({b"link", b"surrogate-key", b"content-location", b"expires"})

_VARY: Final = b"Authorization, Accept-Encoding"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an application answered."""

    status: int
    headers: Sequence[Header]
    body: bytes

    async def send(self, scope: Scope, send: Send) -> None:
        """Give it as it is, to HEAD without its body."""
        body = b"" if scope["method"] == "HEAD" else self.body
        await _send(send, self.status, list(self.headers), body)


@dataclass(frozen=True, slots=True)
class Page:
    """A 200 that may be given many times; `headers` are those that belong to its content."""

    etag: bytes
    headers: tuple[Header, ...]
    headers_of_304: tuple[Header, ...]
    body: bytes

    @property
    def size(self) -> int:
        """Bytes in memory, roughly."""
        return len(self.body) + sum(len(name) + len(value) + 100 for name, value in self.headers)

    async def send(self, scope: Scope, send: Send, cache_control: bytes) -> None:
        """Answer a GET or HEAD, with 304 when the client has the page already."""
        if self._is_known_to(scope):
            headers = [*self.headers_of_304, (b"cache-control", cache_control)]
            await _send(send, HTTPStatus.NOT_MODIFIED, headers, b"")
            return
        headers = [*self.headers, (b"cache-control", cache_control)]
        await _send(send, HTTPStatus.OK, headers, b"" if scope["method"] == "HEAD" else self.body)

    def _is_known_to(self, scope: Scope) -> bool:
        """Whether `If-None-Match` holds the page's tag, by weak comparison (RFC 9110, 13.1.2)."""
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                tags = (tag.strip().removeprefix(b"W/") for tag in value.split(b","))
                if value == b"*" or self.etag in tags:
                    return True
        return False

    def packed(self) -> bytes:
        """The page as bytes for a cache."""
        kept = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.headers]
        return orjson.dumps(kept) + b"\n" + self.body


def page_of(answer: Answer) -> Page:
    """Make a page of a 200, tagged by its content."""
    kept = (header for header in answer.headers if header[0] not in _NOT_KEPT)
    return _page(tuple(kept), answer.body)


def unpacked(packed: bytes) -> Page:
    """Read what `Page.packed` wrote."""
    head, _, body = packed.partition(b"\n")
    stored: list[tuple[str, str]] = orjson.loads(head)
    headers = (
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in stored
        if name.encode("latin-1") not in _NOT_KEPT
    )
    return _page(tuple(headers), body)


async def answer_of(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """Let an application answer into memory."""
    status = 0
    headers: list[Header] = []
    body: list[bytes] = []

    async def collect(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.extend((bytes(name), bytes(value)) for name, value in message["headers"])
        elif message["type"] == "http.response.body":
            body.append(bytes(message.get("body", b"")))

    await app(scope, receive, collect)
    return Answer(status, headers, b"".join(body))


def _page(headers: tuple[Header, ...], body: bytes) -> Page:
    etag = b'"%b"' % blake2b(body, digest_size=16).hexdigest().encode()
    told = ((b"etag", etag), (b"vary", _VARY))
    return Page(
        etag=etag,
        headers=(*headers, *told, (b"content-length", b"%d" % len(body))),
        headers_of_304=(*(header for header in headers if header[0] in _OF_304), *told),
        body=body,
    )


async def _send(send: Send, status: int, headers: list[Header], body: bytes) -> None:
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
