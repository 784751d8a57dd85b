"""A worker in a process of its own, which a test kills in the middle of a task."""

from __future__ import annotations

import asyncio
import sys

from emoji_gallery.kit.database import DatabaseSettings, connect
from emoji_gallery.kit.outbox.worker import OutboxWorker
from emoji_gallery.kit.queue import Payload
from tests.demo_tasks import QUICK, TASKS, handlers_of


async def _tell_and_hang(payload: Payload) -> None:
    sys.stdout.write(f"{payload['n']}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def _work(database_url: str) -> None:
    settings = DatabaseSettings(database_url=database_url)
    database = connect(settings, application_name="tests-doomed")
    worker = OutboxWorker(
        database, features=[TASKS], handlers=handlers_of(_tell_and_hang), settings=QUICK
    )
    async with worker.running():
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
