from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import func, select, update

from emoji_gallery.kit.database import Database
from emoji_gallery.kit.outbox.schedule import Pace, Schedule
from emoji_gallery.kit.periodic import PeriodicTask
from emoji_gallery.kit.queue import TaskOutcome
from tests.demo_tasks import TASKS, without_table
from tests.waiting import eventually

HOUR = timedelta(hours=1)
QUICK = Pace(look_every=0.02, lease=60)


@dataclass
class FakeTime:
    """A clock that a test sets."""

    now: datetime = datetime(2026, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Observed:
    """Remembers how runs ended."""

    outcomes: list[tuple[str, TaskOutcome]] = field(default_factory=list)

    def task_published(self, task: str) -> None:
        pytest.fail(f"{task} was published")

    def task_started(self, task: str) -> None:
        """The end tells enough."""

    def task_finished(self, task: str, outcome: TaskOutcome, seconds: float) -> None:
        assert seconds >= 0
        self.outcomes.append((task, outcome))


@dataclass
class Workshop:
    """A periodic task and the workers that share it."""

    database: Database
    time: FakeTime = field(default_factory=FakeTime)
    observed: Observed = field(default_factory=Observed)
    runs: int = 0
    work: Callable[[], Awaitable[None]] | None = None
    timeout: timedelta = timedelta(seconds=30)

    async def run(self) -> None:
        self.runs += 1
        if self.work is not None:
            await self.work()

    def worker(self, pace: Pace = QUICK) -> Schedule:
        return Schedule(
            self.database,
            features=[TASKS],
            tasks=[PeriodicTask("demo.sweep_up", HOUR, self.run, timeout=self.timeout)],
            clock=self.time,
            observer=self.observed,
            random=Random(1),
            pace=pace,
        )

    async def looked(self, times: int = 3) -> None:
        """Return when running workers have had the occasion to look that often."""
        await asyncio.sleep(QUICK.look_every * 1.5 * times)

    async def let_the_worker_die(self) -> None:
        """What is left when the worker of a run was killed and its lease has run out."""
        table = TASKS.periodic
        async with self.database.transaction() as tx:
            await tx.execute(update(table).values(leased_until=func.to_timestamp(0)))

    async def lease_left(self) -> bool:
        async with self.database.reading() as connection:
            rows = await connection.execute(select(TASKS.periodic.c.leased_until > func.now()))
            return bool(rows.scalar_one())


@pytest.fixture
def workshop(demo: Database) -> Workshop:
    return Workshop(demo)


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def test_the_first_run_is_due_at_once_and_the_next_when_its_time_has_come(
    workshop: Workshop,
) -> None:
    async with workshop.worker().running():
        await eventually(lambda: workshop.runs == 1, within=10)
        await workshop.looked()
        assert workshop.runs == 1

        workshop.time.now += HOUR - timedelta(seconds=1)
        await workshop.looked()
        assert workshop.runs == 1

        workshop.time.now += timedelta(seconds=1)
        await eventually(lambda: workshop.runs == 2, within=10)

    assert workshop.observed.outcomes == [("demo.sweep_up", "done")] * 2


async def test_one_of_several_workers_runs_it(workshop: Workshop) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(workshop.worker().running())
        for turn in range(1, 4):
            await eventually(lambda: workshop.runs >= turn, within=10)  # noqa: B023
            await workshop.looked()
            assert workshop.runs == turn
            workshop.time.now += HOUR


async def test_nobody_else_starts_while_a_run_lasts(workshop: Workshop) -> None:
    workshop.work = wait_for_ever
    async with workshop.worker().running(), workshop.worker().running():
        await eventually(lambda: workshop.runs, within=10)
        workshop.time.now += 2 * HOUR
        await workshop.looked()

        assert workshop.runs == 1


async def test_a_failed_run_comes_again_in_its_time(workshop: Workshop) -> None:
    async def fail() -> None:
        raise LookupError

    workshop.work = fail
    async with workshop.worker().running():
        await eventually(lambda: workshop.observed.outcomes, within=10)
        await workshop.looked()
        assert workshop.runs == 1
        workshop.time.now += HOUR
        await eventually(lambda: workshop.runs == 2, within=10)

    assert workshop.observed.outcomes[0] == ("demo.sweep_up", "retried")


async def test_a_run_that_takes_too_long_is_ended(workshop: Workshop) -> None:
    workshop.work, workshop.timeout = wait_for_ever, timedelta(seconds=0.05)
    async with workshop.worker().running():
        await eventually(lambda: workshop.observed.outcomes, within=10)

    assert workshop.observed.outcomes == [("demo.sweep_up", "retried")]


async def test_the_run_of_a_dead_worker_is_taken_up(workshop: Workshop) -> None:
    workshop.work = wait_for_ever
    async with workshop.worker().running(), workshop.worker().running():
        await eventually(lambda: workshop.runs == 1, within=10)
        await workshop.let_the_worker_die()

        await eventually(lambda: workshop.runs == 2, within=10)


async def test_a_stopping_worker_hands_its_run_over(workshop: Workshop) -> None:
    workshop.work = wait_for_ever
    async with workshop.worker().running():
        await eventually(lambda: workshop.runs == 1, within=10)

    async with workshop.worker().running():
        await eventually(lambda: workshop.runs == 2, within=10)


async def test_a_stop_in_the_moment_when_a_run_ends_is_heard(workshop: Workshop) -> None:
    loops: list[asyncio.Task[object]] = []

    async def be_stopped_soon() -> None:
        current = asyncio.current_task()
        assert current is not None
        loops.append(current)
        # The run is over by then, and what follows it is under way.
        asyncio.get_running_loop().call_soon(current.cancel)

    workshop.work = be_stopped_soon
    async with workshop.worker().running():
        await eventually(lambda: loops and loops[0].done(), within=10)

    assert workshop.observed.outcomes == [("demo.sweep_up", "done")]


async def test_a_stop_that_cannot_hand_over_ends_all_the_same(workshop: Workshop) -> None:
    workshop.work = wait_for_ever
    worker = workshop.worker(Pace(look_every=0.02, lease=0.2))
    async with AsyncExitStack() as lost, worker.running():
        await eventually(lambda: workshop.runs, within=10)
        await lost.enter_async_context(without_table(workshop.database, TASKS.periodic))
        # Neither does a lease that cannot be renewed end the run.
        await asyncio.sleep(0.2)

    assert workshop.observed.outcomes == []


async def test_a_lease_is_renewed_while_a_run_lasts(workshop: Workshop) -> None:
    workshop.work = wait_for_ever
    async with workshop.worker(Pace(look_every=0.02, lease=0.6)).running():
        await eventually(lambda: workshop.runs, within=10)
        await asyncio.sleep(1)
        assert await workshop.lease_left()


async def test_postgresql_may_be_away_for_a_while(workshop: Workshop) -> None:
    async with AsyncExitStack() as stack:
        async with without_table(workshop.database, TASKS.periodic):
            await stack.enter_async_context(workshop.worker().running())
            await workshop.looked()
            assert workshop.runs == 0

        await eventually(lambda: workshop.runs, within=10)


@pytest.mark.parametrize(
    "names", [["other.sweep_up"], ["sweep_up"], ["demo.sweep_up", "demo.sweep_up"]]
)
async def test_names_are_checked_before_the_start(workshop: Workshop, names: list[str]) -> None:
    with pytest.raises(ValueError, match="periodic task"):
        Schedule(
            workshop.database,
            features=[TASKS],
            tasks=[PeriodicTask(name, HOUR, workshop.run) for name in names],
            clock=workshop.time,
            observer=workshop.observed,
            random=Random(1),
        )
