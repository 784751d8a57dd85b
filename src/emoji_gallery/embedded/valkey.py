"""Valkey from its wheel: a cache and counters in memory that are gone when it stops."""

from __future__ import annotations

import asyncio
import secrets
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from emoji_gallery.embedded.account import Account
from emoji_gallery.embedded.binaries import Binaries
from emoji_gallery.embedded.errors import StartError
from emoji_gallery.embedded.process import TICK, ServerProcess, end_leftovers

_START_SECONDS: Final = 30.0
_STOP_SIGNALS: Final = ((signal.SIGTERM, 10.0),)


@dataclass
class ValkeyServer:
    """One server on one socket; it may be stopped and started again on the same address.

    The password is made anew with the object and reaches the server on its standard input:
    it stands in no file and no list of processes.
    """

    binaries: Binaries
    account: Account
    folder: Path
    sockets: Path
    log: Path
    _password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    _process: ServerProcess | None = field(default=None, init=False)

    @property
    def running(self) -> bool:
        """Whether the server process lives."""
        return self._process is not None and self._process.exit_code is None

    @property
    def died(self) -> bool:
        """Whether it ended without having been stopped."""
        return self._process is not None and self._process.exit_code is not None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    def url(self, database: int = 0) -> str:
        """The address of one of its 64 numbered databases for redis-py."""
        return f"unix://:{self._password}@{self._socket}?db={database}"

    async def start(self) -> None:
        """Return when the server answers; what a killed run left is ended first."""
        # Nothing in its memory is worth the wait for a gentle end.
        await end_leftovers("valkey-server", self.folder, leader=None, signals=())
        self._process = ServerProcess(
            [str(self.binaries.valkey), "-"],
            account=self.account,
            log=self.log,
            death_signal=signal.SIGTERM,
            stdin=self._settings().encode(),
        )
        deadline = time.monotonic() + _START_SECONDS
        while not await self._answers():
            if self._process.exit_code is not None:
                raise StartError(f"Valkey did not start: {self._process.complaint()}")
            if time.monotonic() > deadline:
                await self.stop()
                raise StartError(f"Valkey did not answer in {_START_SECONDS:.0f} s: {self.log}")
            await asyncio.sleep(TICK)

    async def stop(self) -> None:
        """Return when the process has ended."""
        if self._process is not None:
            await self._process.end(_STOP_SIGNALS)
            self._process = None

    @property
    def _socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def _settings(self) -> str:
        return "\n".join(
            [
                "port 0",
                f"unixsocket {self._socket}",
                "unixsocketperm 700",
                f"requirepass {self._password}",
                f'dir "{self.folder}"',
                "databases 64",
                "daemonize no",
                # A cache: nothing is written, and the oldest goes when memory is full.
                'save ""',
                "appendonly no",
                "maxmemory 128mb",
                "maxmemory-policy allkeys-lru",
                "",
            ]
        )

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            return False
        try:
            writer.write(f"AUTH {self._password}\r\nPING\r\n".encode())
            answers = [await asyncio.wait_for(reader.readline(), timeout=5) for _ in range(2)]
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()
        return answers == [b"+OK\r\n", b"+PONG\r\n"]
