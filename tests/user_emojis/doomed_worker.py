"""A worker that says when it draws, and then draws for ever: `python -m … DATABASE_URL FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from obstore.store import LocalStore
from typing_extensions import override

from emoji_gallery.kit.database import DatabaseSettings, connect
from emoji_gallery.kit.local_limiter import LocalLimiter
from emoji_gallery.kit.objects import ObjectStore
from emoji_gallery.media.renderer import Renderer, Source
from emoji_gallery.media.turnstile import Priority
from emoji_gallery.media.types import Probe, Rendered
from tests.user_emojis.world import World


class EndlessRenderer(Renderer):
    """Draws nothing, and takes all the time there is for it."""

    @override
    async def render(
        self,
        source: Source,
        probe: Probe,
        names: Sequence[str],
        *,
        priority: Priority = Priority.UPLOAD,
    ) -> dict[str, Rendered]:
        print("drawing", flush=True)  # noqa: T201 (what the test waits for)
        await asyncio.Event().wait()
        return {}


def objects_in(folder: Path) -> ObjectStore:
    """Storage that two processes share."""
    return ObjectStore(LocalStore(folder), timeout=timedelta(seconds=10))


async def work(database_url: str, folder: Path) -> NoReturn:
    """Run tasks until somebody ends it."""
    settings = DatabaseSettings(database_url=database_url)
    db = connect(settings, application_name="doomed")
    limiter = LocalLimiter(replicas=1)
    world = World(db, objects_in(folder), EndlessRenderer(), limiter, folder)
    async with world.working():
        await asyncio.Event().wait()
    raise AssertionError


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], Path(sys.argv[2])))
