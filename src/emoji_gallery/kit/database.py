"""PostgreSQL through SQLAlchemy Core and asyncpg.

Two kinds of connection are two types, so that a store says in its signature whether it
changes anything: `ReadConnection` reads outside a transaction, `WriteConnection` is an
open transaction that commits when its block ends. Only services open either of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import CursorResult, Executable, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql.selectable import TypedReturnsRows

from emoji_gallery.kit.errors import UnavailableError

_Row = TypeVar("_Row", bound=tuple[object, ...])

# A bind set for one statement, or several of them for an executemany. The values are what
# the driver takes, which no static type describes.
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]

# SQLSTATE classes that mean "the server is away or going down", not "your statement is wrong".
_AWAY_CLASSES = ("08", "53", "57")


class DatabaseSettings(BaseSettings):
    """How to reach PostgreSQL."""

    model_config = SettingsConfigDict(frozen=True)

    database_url: str = Field(
        default="",
        description="SQLAlchemy address of PostgreSQL, `postgresql+asyncpg://…`; "
        "empty means the embedded one.",
    )
    database_pool_size: int = Field(
        default=10, ge=1, le=200, description="Connections that one process keeps to PostgreSQL."
    )
    database_statement_timeout_ms: int = Field(
        default=10_000, ge=100, description="PostgreSQL ends a statement after this many ms."
    )


@dataclass(frozen=True)
class ReadConnection:
    """A connection that reads; each statement sees what is committed when it starts."""

    raw: AsyncConnection

    async def execute(
        self, statement: TypedReturnsRows[_Row] | Executable, parameters: Parameters | None = None
    ) -> CursorResult[Any]:
        """Run one statement and return its result, wholly fetched."""
        return await self.raw.execute(statement, parameters)


@dataclass(frozen=True)
class WriteConnection(ReadConnection):
    """A READ COMMITTED transaction in progress."""


class Database:
    """The pool of connections of one process."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Take over an engine; `close` disposes of it."""
        self.engine = engine
        self._autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadConnection]:
        """Lend a connection without a transaction; raises `UnavailableError` without a server."""
        async with _translated(), self._autocommit.connect() as connection:
            yield ReadConnection(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[WriteConnection]:
        """Open a transaction; commits at the end of the block, rolls back on any exception."""
        async with _translated(), self.engine.begin() as connection:
            yield WriteConnection(connection)

    async def ping(self) -> None:
        """Raise `UnavailableError` unless the server answers."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def connect(settings: DatabaseSettings, *, application_name: str) -> Database:
    """Make the pool; nothing is connected before the first use."""
    engine = create_async_engine(
        settings.database_url,
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_recycle=1800,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "timeout": 5,
            "command_timeout": settings.database_statement_timeout_ms / 1000 + 5,
            "server_settings": {
                "application_name": application_name,
                "statement_timeout": str(settings.database_statement_timeout_ms),
                "idle_in_transaction_session_timeout": "30000",
                "timezone": "UTC",
            },
        },
    )
    return Database(engine)


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """Turn "the server is away" into a 503; other errors stay what they are."""
    try:
        yield
    except (PoolTimeoutError, ConnectionError, TimeoutError, OSError) as error:
        message = "The database does not answer."
        raise UnavailableError(message) from error
    except DBAPIError as error:
        if not _is_away(error):
            raise
        message = "The database does not answer."
        raise UnavailableError(message) from error


def _is_away(error: DBAPIError) -> bool:
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return isinstance(error, OperationalError) or state[:2] in _AWAY_CLASSES
