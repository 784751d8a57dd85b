"""An identity provider on the loopback interface: a real server with a key set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.accounts.forge import PrivateKey, jwk, key_set, signed


@dataclass
class Issuer:
    """Serves `document` with `status` and extra header lines; counts who asks."""

    document: bytes = b""
    status: str = "200 OK"
    headers: tuple[str, ...] = ("Content-Type: application/json",)
    requests: int = 0
    silent: bool = False
    address: str = ""
    keys: dict[str, tuple[str, PrivateKey]] = field(default_factory=dict)

    def publish(self, **keys: tuple[str, PrivateKey]) -> None:
        """Publish these keys, by kid, and no others."""
        self.keys = keys
        self.document = key_set(*(jwk(key, kid=kid) for kid, (_, key) in keys.items()))

    def token(self, payload: dict[str, object], kid: str) -> str:
        """A token that the key of that name signed."""
        algorithm, key = self.keys[kid]
        return signed(payload, key, algorithm, kid=kid)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            if self.silent:
                await reader.read()
                return
            lines = (
                f"HTTP/1.1 {self.status}",
                *self.headers,
                f"Content-Length: {len(self.document)}",
                "Connection: close",
                "",
                "",
            )
            writer.write("\r\n".join(lines).encode() + self.document)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def running_issuer() -> AsyncIterator[Issuer]:
    """An issuer that serves for the time of the block."""
    issuer = Issuer()
    server = await asyncio.start_server(issuer.answer, "127.0.0.1", 0)
    issuer.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
    async with server:
        yield issuer
