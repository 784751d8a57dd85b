"""The whole application of one process, as the composition root makes it, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from emoji_gallery.bootstrap import Application, make_resources
from emoji_gallery.settings import Settings


@asynccontextmanager
async def application(
    *, database_url: str, redis_url: str, data_dir: Path
) -> AsyncIterator[Application]:
    """An application on real parts; what runs beside the requests is not started."""
    settings = Settings()
    resources = make_resources(
        replace(
            settings,
            process=settings.process.model_copy(update={"data_dir": data_dir, "role": "all"}),
            database=settings.database.model_copy(update={"database_url": database_url}),
            redis=settings.redis.model_copy(update={"redis_url": redis_url}),
        )
    )
    try:
        yield Application(resources)
    finally:
        await resources.close()
