"""Finds the servers that settings leave out: the embedded ones.

A command beside a running `make run` uses that run's servers; without one it starts them
for its own time. Images of the other shapes do not carry the embedded servers' wheels, so
they are imported only here and only when needed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from emoji_gallery.settings import Settings


@asynccontextmanager
async def located(settings: Settings) -> AsyncIterator[Settings]:
    """Settings whose database and Redis have addresses, for the time of the block.

    Raises an `EmbeddedError` of one line when the embedded servers cannot run.
    """
    if not settings.database.database_url:
        from emoji_gallery.embedded.parts import addresses_of_running  # noqa: PLC0415 (see above)

        running = addresses_of_running(settings.process.data_dir)
        if running is not None:
            yield _at(settings, running.database_url, running.redis_url)
            return
    async with located_alone(settings) as complete:
        yield complete


@asynccontextmanager
async def located_alone(settings: Settings) -> AsyncIterator[Settings]:
    """The same with servers of our own: `FolderInUseError` where another run has them."""
    if settings.database.database_url:
        yield settings
        return
    from emoji_gallery.embedded.parts import embedded_parts  # noqa: PLC0415 (see above)

    async with embedded_parts(settings.process.data_dir, durability="durable") as parts:
        yield _at(settings, parts.database_url, parts.redis_url)


def _at(settings: Settings, database_url: str, redis_url: str) -> Settings:
    return replace(
        settings,
        database=settings.database.model_copy(update={"database_url": database_url}),
        redis=settings.redis.model_copy(update={"redis_url": redis_url}),
    )
