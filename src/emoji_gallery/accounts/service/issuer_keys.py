"""An identity provider's public keys: downloaded, kept, and read again when they change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx
import structlog

from emoji_gallery.accounts.rules.addresses import checked_key_set_address, is_loopback
from emoji_gallery.accounts.rules.claims import TokenPolicy
from emoji_gallery.accounts.rules.key_sets import KeySet, KeySetError, read_key_set
from emoji_gallery.accounts.rules.tokens import PUBLIC_ALGORITHMS, TokenHeader, VerificationKey
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.errors import UnavailableError

# A key that the issuer withdrew is believed for this long at most while the issuer answers.
MAX_AGE: Final = timedelta(minutes=5)

# Strangers choose the `kid` of a token, so an unknown one may cause a download only this often.
MIN_INTERVAL: Final = timedelta(seconds=10)

_TIMEOUT_SECONDS: Final = 5.0
_MAX_DOCUMENT_BYTES: Final = 256 * 1024

log = structlog.get_logger(__name__)

Download = Callable[[], Awaitable[bytes]]


class DownloadError(Exception):
    """The address answered, but not with a document that is taken."""


@dataclass(frozen=True)
class KeySetDownload:
    """Reads the document at an address.

    Within 5 seconds and 256 KiB, without following redirects: the address is the proof of who
    answers. Raises `DownloadError`, `httpx.HTTPError` or `OSError`, which a timeout is too.
    """

    address: str

    async def __call__(self) -> bytes:
        """The document's bytes."""
        address = checked_key_set_address(self.address)
        # Reading the trusted certificates takes milliseconds of the event loop's time.
        trust = await asyncio.to_thread(httpx.create_ssl_context)
        local = is_loopback(urlsplit(address).hostname or "")
        async with (
            asyncio.timeout(_TIMEOUT_SECONDS),
            httpx.AsyncClient(verify=trust, timeout=_TIMEOUT_SECONDS, trust_env=not local) as http,
            # An encoded body could grow a thousandfold while it is unpacked.
            http.stream("GET", address, headers={"Accept-Encoding": "identity"}) as answer,
        ):
            if answer.status_code != HTTPStatus.OK:
                raise DownloadError(f"status {answer.status_code}")
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise DownloadError("the body is encoded")
            document = bytearray()
            async for chunk in answer.aiter_raw():
                document += chunk
                if len(document) > _MAX_DOCUMENT_BYTES:
                    raise DownloadError("the document is too long")
        return bytes(document)


class IssuerKeys:
    """The key set of one issuer.

    It is read again when it is older than `MAX_AGE` and when a token names a key that is not
    in it, but never more often than once in `MIN_INTERVAL`. While the issuer does not answer,
    the last good set stays, and no request waits for the attempts to renew it.
    """

    def __init__(self, *, policy: TokenPolicy, download: Download, clock: Clock) -> None:
        self.policy = policy
        self._download = download
        self._clock = clock
        self._kept: KeySet | None = None
        self._kept_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._failing = False
        self._renewal: asyncio.Task[None] | None = None

    async def key_for(self, header: TokenHeader) -> VerificationKey | None:
        """The key that a header means; raises `UnavailableError` while no set was ever read."""
        if header.algorithm not in PUBLIC_ALGORITHMS:
            return None
        if self._is_old():
            await self._renew(waiting=not self._failing or self._kept is None)
        key = self._current().find(header)
        if key is not None:
            return key
        await self._renew(waiting=not self._failing)
        return self._current().find(header)

    def _current(self) -> KeySet:
        if self._kept is None:
            raise UnavailableError("The identity provider's keys cannot be read.", retry_after=5)
        return self._kept

    def _is_old(self) -> bool:
        return not _is_within(MAX_AGE, self._clock(), since=self._kept_at)

    async def _renew(self, *, waiting: bool) -> None:
        if self._renewal is None:
            if _is_within(MIN_INTERVAL, self._clock(), since=self._tried_at):
                return
            self._renewal = asyncio.create_task(self._read())
        if waiting:
            await asyncio.shield(self._renewal)

    async def _read(self) -> None:
        self._tried_at = self._clock()
        try:
            kept = read_key_set(await self._download())
        except (DownloadError, KeySetError, httpx.HTTPError, OSError) as error:
            self._failing = True
            log.warning("issuer_keys.unreadable", issuer=self.policy.issuer, cause=repr(error))
        else:
            self._failing = False
            self._kept, self._kept_at = kept, self._tried_at
        finally:
            self._renewal = None


def _is_within(span: timedelta, now: datetime, *, since: datetime | None) -> bool:
    """Whether less than `span` has passed; never true of a moment that is still to come."""
    return since is not None and timedelta(0) <= now - since < span
