"""Decides what a request for a rendition is answered; knows HTTP, but no framework."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from emoji_gallery.assets.errors import RangeNotSatisfiableError, UnsignedError
from emoji_gallery.assets.rules.conditions import (
    Span,
    UnsatisfiableError,
    entity_tag,
    matches,
    matches_strongly,
    requested_span,
)
from emoji_gallery.assets.rules.keys import parse_digest
from emoji_gallery.assets.rules.signing import Audience, Permit, Signature, Signer
from emoji_gallery.assets.rules.stored import StoredAsset
from emoji_gallery.assets.service.files import File, RenditionFiles
from emoji_gallery.assets.service.known import KnownAssets
from emoji_gallery.assets.service.misses import MissLimit, Toll
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.errors import NotFoundError, PreconditionFailedError
from emoji_gallery.media import catalogue

_YEAR_SECONDS: Final = 31_536_000

_ALWAYS: Final[Mapping[str, str]] = {
    "Accept-Ranges": "bytes",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # A picker on another origin may show the picture, also where that origin isolates itself.
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: the two parts of its path, who asks, and the headers that matter."""

    digest: str
    name: str
    signature: Signature | None
    address: str
    range: str | None = None
    if_range: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None

    def without_range(self) -> Asked:
        """The same for the whole file: only GET knows ranges (RFC 9110, 14.2)."""
        return replace(self, range=None)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body, which is a stream where it is large."""

    status: HTTPStatus
    headers: Mapping[str, str]
    body: bytes | AsyncIterator[bytes]


@dataclass(frozen=True)
class DeliverRendition:
    """Answers requests for `/media/{digest}/{rendition}`."""

    signer: Signer
    known: KnownAssets
    files: RenditionFiles
    misses: MissLimit
    clock: Clock

    async def answer(self, asked: Asked) -> Answer:
        """The file, a part of it, or word that the client has it.

        Raises `NotFoundError`, `UnsignedError` whether or not there is such an asset,
        `PreconditionFailedError`, `RangeNotSatisfiableError`, `RateLimitedError` and
        `UnavailableError`.
        """
        digest = parse_digest(asked.digest)
        if digest is None or not catalogue.is_known(asked.name):
            raise NotFoundError
        toll = self.misses.toll(asked.address)
        permit = await self._permit(digest, asked, toll)
        file = await self._file(digest, asked.name, toll)
        headers = self._headers(digest, asked.name, permit)
        tag = headers["ETag"]
        if asked.if_match is not None and not matches_strongly(asked.if_match, tag):
            raise PreconditionFailedError
        if asked.if_none_match is not None and matches(asked.if_none_match, tag):
            return Answer(HTTPStatus.NOT_MODIFIED, headers, b"")
        return await self._content(file, headers, _span(asked, tag, file.size))

    async def _permit(self, digest: Digest, asked: Asked, toll: Toll) -> Permit:
        if asked.signature is not None:
            permit = self.signer.check(asked.signature, digest, asked.name, now=self.clock())
            if permit is not None:
                return permit
        memory = self.known.recall(digest)
        if memory is not None and _is_public(memory.asset):
            return _PUBLIC
        # From here on, existing and unknown digests take the same way and cost the same.
        await toll.pay()
        await self.known.catch_up()
        if not _is_public(await self._asset(digest)):
            raise UnsignedError
        return _PUBLIC

    async def _file(self, digest: Digest, name: str, toll: Toll) -> File:
        file = await self.files.find(digest, name)
        if file is None:
            await self._make(digest, name, toll)
            file = await self.files.find(digest, name)
        if file is None:
            raise NotFoundError
        return file

    async def _make(self, digest: Digest, name: str, toll: Toll) -> None:
        await toll.pay()
        asset = await self._asset(digest)
        if asset is None:
            await self.known.catch_up()
            asset = await self._asset(digest)
        if asset is None or name not in catalogue.renditions(asset.probe.shape):
            raise NotFoundError
        await self.files.make(asset, name)

    async def _asset(self, digest: Digest) -> StoredAsset | None:
        memory = self.known.recall(digest)
        return memory.asset if memory else await self.known.look_up(digest)

    def _headers(self, digest: Digest, name: str, permit: Permit) -> dict[str, str]:
        headers = {
            **_ALWAYS,
            "Content-Type": catalogue.CONTENT_TYPES[name.rpartition(".")[2]],
            "ETag": entity_tag(digest, name),
            "Cache-Control": self._cache_control(permit),
        }
        if permit.audience is not Audience.USER:
            headers["Surrogate-Key"] = f"media media-{digest}"
        return headers

    def _cache_control(self, permit: Permit) -> str:
        if permit.audience is Audience.PUBLIC:
            return f"public, max-age={_YEAR_SECONDS}, immutable"
        scope = "private" if permit.audience is Audience.USER else "public"
        left = permit.expires - int(self.clock().timestamp())
        return f"{scope}, max-age={left}, immutable"

    async def _content(self, file: File, headers: dict[str, str], span: Span | None) -> Answer:
        part = span or Span(0, file.size)
        headers["Content-Length"] = str(part.stop - part.start)
        status = HTTPStatus.OK
        if span is not None:
            status = HTTPStatus.PARTIAL_CONTENT
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
        if file.data is None:
            return Answer(status, headers, await self.files.stream(file, part))
        return Answer(status, headers, file.data[part.start : part.stop])


_PUBLIC: Final = Permit(Audience.PUBLIC, 0)


def _is_public(asset: StoredAsset | None) -> bool:
    return asset is not None and asset.is_public


def _span(asked: Asked, tag: str, size: int) -> Span | None:
    try:
        return requested_span(asked.range, asked.if_range, tag=tag, size=size)
    except UnsatisfiableError:
        raise RangeNotSatisfiableError(size) from None
