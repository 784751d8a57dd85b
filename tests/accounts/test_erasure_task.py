"""The task that goes on with an erasure, on a real worker."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from emoji_gallery.accounts.models import ERASE_USER, task_tables
from emoji_gallery.kit.database import Database, DatabaseSettings, connect
from emoji_gallery.kit.outbox.worker import OutboxWorker, WorkerSettings, worker_connections
from emoji_gallery.kit.queue import PermanentTaskError
from tests.accounts.world import ALICE, World
from tests.waiting import eventually

Working = Callable[[World], AbstractAsyncContextManager[None]]


@pytest.fixture
def working(database_url: str) -> Working:
    """A worker for the tasks of a process, for the time of a block."""

    @asynccontextmanager
    async def run(world: World) -> AsyncIterator[None]:
        settings = WorkerSettings()
        pool = connect(
            DatabaseSettings(
                database_url=database_url,
                database_pool_size=worker_connections([task_tables], settings),
            ),
            application_name="tests",
        )
        worker = OutboxWorker(
            pool, features=[task_tables], handlers=world.feature.tasks, settings=settings
        )
        async with worker.running():
            yield
        await pool.close()

    return run


async def waiting(database: Database) -> int:
    """How many tasks wait in the outbox."""
    async with database.reading() as connection:
        statement = select(func.count()).select_from(task_tables.outbox)
        count: int = (await connection.execute(statement)).scalar_one()
        return count


async def test_the_command_line_leaves_what_features_keep_to_the_worker(
    world: World, working: Working, database: Database
) -> None:
    await world.actor(world.token())
    world.drawer.draw(ALICE, "a fox", world.time())
    world.time.passes(1)
    await world.desk.erasure.erase(ALICE)
    assert world.drawer.titles(ALICE) == ["a fox"]
    assert await waiting(database) == 1

    async with working(world):
        await eventually(lambda: world.drawer.titles(ALICE) == [], within=10)
        await eventually(lambda: waiting_none(database), within=10)


async def waiting_none(database: Database) -> bool:
    return await waiting(database) == 0


async def test_an_erasure_that_failed_is_finished_after_a_restart(
    world: World, working: Working, database: Database
) -> None:
    world.drawer.draw(ALICE, "a fox", world.time())
    world.drawer.broken = True
    world.time.passes(1)
    await world.desk.erasure.erase(ALICE)
    async with working(world):
        await eventually(lambda: world.drawer.erasures >= 1, within=10)
    assert world.drawer.titles(ALICE) == ["a fox"]
    assert await waiting(database) == 1
    world.drawer.broken = False

    async with working(world):
        await eventually(lambda: world.drawer.titles(ALICE) == [], within=15)


async def test_what_came_after_the_erasure_began_is_left_alone(world: World) -> None:
    world.drawer.draw(ALICE, "a fox", world.time())
    world.time.passes(1)
    began = world.time()
    world.drawer.draw(ALICE, "a new fox", began)
    [handler] = world.feature.tasks
    for _ in range(2):
        await handler.handle({"user_id": "alice", "before": began.isoformat()})

    assert world.drawer.titles(ALICE) == ["a new fox"]


async def test_an_erasure_is_tried_for_days(world: World) -> None:
    [handler] = world.feature.tasks
    steady = Random(0)
    pauses = [
        handler.retry.delay_after(attempt, steady) or timedelta(0)
        for attempt in range(1, handler.retry.attempts)
    ]

    assert handler.task == ERASE_USER
    assert sum(pauses, timedelta(0)) > timedelta(days=2)


@pytest.mark.parametrize(
    "payload", [{}, {"user_id": "alice"}, {"user_id": 7, "before": "x"}, {"before": "2026-11-23"}]
)
async def test_a_payload_that_names_nobody_is_not_tried_again(
    world: World, payload: Mapping[str, str]
) -> None:
    [handler] = world.feature.tasks
    with pytest.raises(PermanentTaskError):
        await handler.handle(payload)
