"""PostgreSQL 18 from its wheel, on a socket that only the account that started us may use."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from emoji_gallery.embedded.account import Account, starter
from emoji_gallery.embedded.binaries import Binaries
from emoji_gallery.embedded.errors import StartError, UnusableFolderError
from emoji_gallery.embedded.process import TICK, ServerProcess, end_leftovers, working_in

DATABASE: Final = "emoji_gallery"

# "fast" loses data when the machine stops and must never hold any that matters.
Durability = Literal["durable", "fast"]

# The owner of the database is no superuser; the administrator makes and clones databases.
_OWNER: Final = "emoji_gallery"
_ADMINISTRATOR: Final = "postgres"

_MAJOR_VERSION: Final = "18"
# Where postmaster.pid says "starting", "ready" or "stopping", counted from 0.
_STATUS_LINE: Final = 7
_START_SECONDS: Final = 120.0
# Fast shutdown, then immediate shutdown.
_STOP_SIGNALS: Final = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
# Its children notice at once that their leader has died, and end.
_ORPHAN_SIGNALS: Final = ((signal.SIGINT, 5.0),)

_FAST: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Only a person waits for its work, and it holds on to templates that are being cloned.
    "autovacuum": "off",
    "max_connections": "300",
}


@dataclass
class PostgresServer:
    """One server on one cluster of databases; it may be started and stopped many times."""

    binaries: Binaries
    account: Account
    cluster: Path
    sockets: Path
    config: Path
    log: Path
    durability: Durability
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

    def url(self, database: str = DATABASE) -> str:
        """The address of a database for SQLAlchemy with asyncpg, signed in as its owner."""
        return self._url(_OWNER, database)

    async def start(self) -> None:
        """Make the cluster if there is none, and return when the server takes connections.

        What a killed run left is ended first; PostgreSQL then repairs the files from its log.
        Raises `StartError` with the server's own words where it does not come up.
        """
        await self._end_leftovers()
        if not (self.cluster / "PG_VERSION").exists():
            await self._make_cluster()
        self._check_version()
        self._write_access_rules()
        self._process = self._spawn(self._command(), death_signal=signal.SIGINT)
        await self._until_ready(self._process)
        await self._make_database()

    async def stop(self) -> None:
        """Disconnect everyone and return when all is written and the process has ended."""
        if self._process is not None:
            await self._process.end(_STOP_SIGNALS)
            self._process = None

    async def create_database(self, name: str, *, template: str = "template1") -> None:
        """Make a database that the owner owns, as a copy of `template`, which nobody may use."""
        async with self._administering() as connection:
            # Copying files beats logging pages threefold where no fsync is waited for.
            await connection.execute(
                text(
                    f'CREATE DATABASE "{name}" OWNER "{_OWNER}" TEMPLATE "{template}"'
                    " STRATEGY FILE_COPY"
                )
            )

    async def drop_database(self, name: str) -> None:
        """Remove a database and throw out whoever uses it."""
        async with self._administering() as connection:
            await connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

    def _url(self, role: str, database: str) -> str:
        return f"postgresql+asyncpg://{role}@/{database}?host={self.sockets}&port=5432"

    def _spawn(self, command: Sequence[str], *, death_signal: signal.Signals) -> ServerProcess:
        return ServerProcess(command, account=self.account, log=self.log, death_signal=death_signal)

    async def _end_leftovers(self) -> None:
        """End what a killed run left, then remove the locks that it left.

        PostgreSQL asks only whether the process id in a lock is in use, by anybody or by a
        zombie; here it is certain that no server works in the folder.
        """
        leader = self._leader()
        alive = leader in {process.pid for process in working_in("postgres", self.cluster)}
        await end_leftovers(
            "postgres",
            self.cluster,
            leader=leader,
            signals=_STOP_SIGNALS if alive else _ORPHAN_SIGNALS,
        )
        for lock in (self.cluster / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)

    def _leader(self) -> int | None:
        """The process id in the first line of the server's pid file."""
        lines = self._pid_file_lines()
        return int(lines[0]) if lines and lines[0].isdecimal() else None

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    async def _make_cluster(self) -> None:
        """Fill a folder beside the real one, so that a killed start leaves no half cluster."""
        unfinished = self.cluster.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if not self.account.is_ours:
            shutil.chown(unfinished, self.account.uid, self.account.gid)
        process = self._spawn(
            [
                str(self.binaries.initdb),
                f"--pgdata={unfinished}",
                f"--username={_ADMINISTRATOR}",
                "--auth-local=peer",
                "--auth-host=reject",
                "--encoding=UTF8",
                # Built in: text sorts and folds alike on every machine, whatever its locales.
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                *(["--no-sync"] if self.durability == "fast" else []),
            ],
            death_signal=signal.SIGKILL,
        )
        if not await process.finished(within=_START_SECONDS) or process.exit_code != 0:
            raise StartError(f"PostgreSQL's files were not made: {process.complaint()}")
        unfinished.rename(self.cluster)

    def _check_version(self) -> None:
        found = (self.cluster / "PG_VERSION").read_text().strip()
        if found != _MAJOR_VERSION:
            raise UnusableFolderError(
                f"{self.cluster} was made by PostgreSQL {found}, this one is {_MAJOR_VERSION}:"
                " move its data over with pg_upgrade, or choose another folder with DATA_DIR=…"
            )

    def _write_access_rules(self) -> None:
        """Let in the account that starts us, whom the kernel vouches for, and nobody else.

        That the server runs under an account that others may share gives those no access.
        """
        name = starter().name
        rules = {
            "pg_hba.conf": "local all all peer map=starter\n",
            "pg_ident.conf": "".join(
                f'starter "{name}" "{role}"\n' for role in (_OWNER, _ADMINISTRATOR)
            ),
        }
        for file, content in rules.items():
            (self.config / file).write_text(content)
            (self.config / file).chmod(0o644)

    def _command(self) -> list[str]:
        options = {
            "hba_file": str(self.config / "pg_hba.conf"),
            "ident_file": str(self.config / "pg_ident.conf"),
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
            "logging_collector": "off",
            **(_FAST if self.durability == "fast" else {}),
        }
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [str(self.binaries.postgres), "-D", str(self.cluster), *flags]

    async def _until_ready(self, process: ServerProcess) -> None:
        """Wait for the word that pg_ctl waits for, in the last line of the server's pid file."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._says_ready(process.pid):
            if process.exit_code is not None:
                raise StartError(f"PostgreSQL did not start: {process.complaint()}")
            if time.monotonic() > deadline:
                await self.stop()
                raise StartError(f"PostgreSQL was not ready in {_START_SECONDS:.0f} s: {self.log}")
            await asyncio.sleep(TICK)

    def _says_ready(self, pid: int) -> bool:
        lines = self._pid_file_lines()
        return len(lines) > _STATUS_LINE and lines[0] == str(pid) and "ready" in lines[_STATUS_LINE]

    async def _make_database(self) -> None:
        async with self._administering() as connection:
            roles = await connection.execute(
                text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": _OWNER}
            )
            if roles.first() is None:
                await connection.execute(text(f'CREATE ROLE "{_OWNER}" LOGIN'))
            databases = await connection.execute(
                text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": DATABASE}
            )
            if databases.first() is None:
                await connection.execute(text(f'CREATE DATABASE "{DATABASE}" OWNER "{_OWNER}"'))

    @asynccontextmanager
    async def _administering(self) -> AsyncIterator[AsyncConnection]:
        engine = create_async_engine(
            self._url(_ADMINISTRATOR, _ADMINISTRATOR),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": 10},
        )
        try:
            async with engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()
