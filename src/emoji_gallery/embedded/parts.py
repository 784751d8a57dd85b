"""PostgreSQL and Valkey together on one data folder, as `make run` and the tests use them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from emoji_gallery.embedded.binaries import installed, within_reach
from emoji_gallery.embedded.errors import EmbeddedError, UnusableFolderError
from emoji_gallery.embedded.folders import (
    Folders,
    addresses_file,
    is_in_use,
    make_data_dir,
    only_user_of,
    prepare,
)
from emoji_gallery.embedded.postgres import Durability, PostgresServer
from emoji_gallery.embedded.valkey import ValkeyServer

log = structlog.get_logger()

# A server that died is looked for this often, in seconds, and started again.
_WATCH_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Addresses:
    """Where running servers are."""

    database_url: str
    redis_url: str


@dataclass(frozen=True)
class EmbeddedParts:
    """Running servers; tests stop and start them one by one."""

    postgres: PostgresServer
    valkey: ValkeyServer

    @property
    def database_url(self) -> str:
        """The address of the database `emoji_gallery` for SQLAlchemy with asyncpg."""
        return self.postgres.url()

    @property
    def redis_url(self) -> str:
        """The address of Valkey for redis-py."""
        return self.valkey.url()


@asynccontextmanager
async def embedded_parts(data_dir: Path, *, durability: Durability) -> AsyncIterator[EmbeddedParts]:
    """Run both servers on `data_dir` for the time of the block, in the calling thread's name.

    Every reason why they cannot run is an `EmbeddedError` whose message is one line. A server
    that dies meanwhile is started again; the servers end with this process, even if it is
    killed. Call it in a thread that lives as long, which the main thread does.
    """
    with _one_line_errors():
        data = make_data_dir(data_dir)
    async with AsyncExitStack() as stack:
        with _one_line_errors():
            await stack.enter_async_context(only_user_of(data))
            folders = prepare(data)
            parts = _parts(folders, durability)
        stack.callback(folders.leave)
        for server in (parts.valkey, parts.postgres):
            stack.push_async_callback(server.stop)
            with _one_line_errors():
                await server.start()
        _tell_others(folders, parts)
        watch = asyncio.create_task(_keep_running(parts))
        stack.push_async_callback(_cancel, watch)
        yield parts


def addresses_of_running(data_dir: Path) -> Addresses | None:
    """Where the servers are that another process runs on `data_dir`; None where none does.

    Raises an `EmbeddedError` where that process is only starting or stopping them, or runs
    under an account whose servers we may not use.
    """
    data = data_dir.resolve()
    with _one_line_errors():
        if not data.is_dir() or not is_in_use(data):
            return None
        file = addresses_file(data)
        if not file.exists():
            raise UnusableFolderError(f"another run on {data} is starting or stopping: try again")
        return Addresses(**json.loads(file.read_bytes()))


def _parts(folders: Folders, durability: Durability) -> EmbeddedParts:
    programs = within_reach(installed(), folders.account, stage=folders.stage)
    return EmbeddedParts(
        postgres=PostgresServer(
            binaries=programs,
            account=folders.account,
            cluster=folders.cluster,
            sockets=folders.sockets,
            config=folders.config,
            log=folders.logs / "postgres.log",
            durability=durability,
        ),
        valkey=ValkeyServer(
            binaries=programs,
            account=folders.account,
            folder=folders.valkey,
            sockets=folders.sockets,
            log=folders.logs / "valkey.log",
        ),
    )


def _tell_others(folders: Folders, parts: EmbeddedParts) -> None:
    """Write the addresses down for commands of our account; they hold Valkey's password."""
    content = json.dumps({"database_url": parts.database_url, "redis_url": parts.redis_url})
    file = addresses_file(folders.data)
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(content)
    fresh.replace(file)


async def _keep_running(parts: EmbeddedParts) -> None:
    """Start a server again that died; one that was stopped stays stopped."""
    pause = _WATCH_SECONDS
    while True:
        await asyncio.sleep(pause)
        dead = [server for server in (parts.valkey, parts.postgres) if server.died]
        try:
            for server in dead:
                log.warning("embedded.server_died", server=type(server).__name__)
                await server.start()
        except EmbeddedError as error:
            log.error("embedded.restart_failed", reason=str(error))  # noqa: TRY400 - said in full
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        else:
            pause = _WATCH_SECONDS


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    # Awaiting the task itself could not be told from being cancelled meanwhile.
    await asyncio.gather(task, return_exceptions=True)


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Say in one line which file the operating system refused us, and why."""
    try:
        yield
    except OSError as error:
        raise UnusableFolderError(
            f"{error.filename or 'the data folder'} cannot be used: {error.strerror or error}"
        ) from error
