"""Single statements against an address, as a client of the servers sends them."""

from __future__ import annotations

import redis.asyncio.retry
import redis.backoff
import redis.retry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

# redis-py tries again for seconds by default, which a server that is away cannot help.
ONCE = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
ONCE_ASYNC = redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0)


async def run_sql(url: str, *statements: str) -> list[object]:
    """Run each statement for itself and return the first column of the last one."""
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            for statement in statements[:-1]:
                await connection.execute(text(statement))
            result = await connection.execute(text(statements[-1]))
            return list(result.scalars()) if result.returns_rows else []
    finally:
        await engine.dispose()


async def answers_ping(url: str) -> bool:
    """Whether Valkey answers at an address."""
    async with redis.asyncio.Redis.from_url(url, retry=ONCE_ASYNC) as client:
        try:
            return bool(await client.ping())
        except redis.asyncio.ConnectionError:
            return False
