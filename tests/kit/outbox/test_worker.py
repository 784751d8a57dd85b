"""What goes wrong around a worker: itself killed, PostgreSQL gone, rows that nobody wrote."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

import pytest
import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select, text, update

from emoji_gallery.embedded.postgres import PostgresServer
from emoji_gallery.kit.database import Database, DatabaseSettings, connect
from emoji_gallery.kit.outbox.queue import OutboxQueue
from emoji_gallery.kit.outbox.worker import OutboxWorker, WorkerSettings, worker_connections
from emoji_gallery.kit.queue import Payload, TaskHandler, UnhandledTaskError
from emoji_gallery.kit.task_metrics import TaskMetrics
from tests.demo_tasks import (
    PAINT,
    QUICK,
    SOON,
    TASKS,
    Painter,
    dead_reasons,
    for_ever,
    handlers_of,
    make_demo_schema,
    numbers,
    waiting_rows,
    without_table,
)
from tests.waiting import eventually

QUEUE: Final = OutboxQueue([TASKS])

# The lease of a killed worker, the longest pause between looks, and slowness of the machine.
TAKEN_UP_WITHIN: Final = QUICK.task_lease_seconds + 2 + 10


@pytest.fixture
def database(demo: Database) -> Database:
    return demo


@pytest.fixture
async def workers(demo_url: str) -> AsyncIterator[Database]:
    """The pool of the workers, beside the test's own."""
    async with pool_of_workers(demo_url) as pool:
        yield pool


@asynccontextmanager
async def pool_of_workers(url: str) -> AsyncIterator[Database]:
    size = worker_connections([TASKS], QUICK)
    settings = DatabaseSettings(database_url=url, database_pool_size=size)
    pool = connect(settings, application_name="tests-worker")
    try:
        yield pool
    finally:
        await pool.close()


def worker_of(
    workers: Database, handlers: Sequence[TaskHandler], settings: WorkerSettings = QUICK
) -> OutboxWorker:
    return OutboxWorker(workers, features=[TASKS], handlers=handlers, settings=settings)


async def publish(database: Database, *payloads: Payload) -> None:
    async with database.transaction() as tx:
        for payload in payloads:
            await QUEUE.publish(tx, PAINT, payload)


async def write_raw(database: Database, task: str, payload: bytes, deliveries: int = 0) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            TASKS.outbox.insert().values(queue=task, payload=payload, deliveries_count=deliveries)
        )


@asynccontextmanager
async def doomed_worker(database_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.kit.outbox.doomed_worker",
        database_url,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class TestCrashes:
    async def test_the_task_of_a_killed_worker_runs_again(
        self, database: Database, workers: Database, demo_url: str
    ) -> None:
        painter = Painter()
        async with doomed_worker(demo_url) as doomed:
            await publish(database, {"n": 7})
            assert doomed.stdout is not None
            assert await asyncio.wait_for(doomed.stdout.readline(), timeout=30) == b"7\n"
            doomed.kill()
            await doomed.wait()
            assert await waiting_rows(database) == 1

            async with worker_of(workers, handlers_of(painter)).running():
                await eventually(lambda: painter.seen, within=TAKEN_UP_WITHIN)

        assert numbers(painter.seen) == [7]
        assert await waiting_rows(database) == 0

    async def test_a_task_that_takes_its_workers_down_dies(
        self, database: Database, workers: Database
    ) -> None:
        painter = Painter()
        await write_raw(database, PAINT, b'{"n": 1}', deliveries=SOON.attempts + 3)

        async with worker_of(workers, handlers_of(painter)).running():
            await eventually(lambda: _one_is_dead(database), within=10)

        assert painter.seen == []
        [reason] = await dead_reasons(database)
        assert reason.startswith("PermanentTaskError: claimed 7 times")

    async def test_an_asked_for_stop_is_no_crash(
        self, database: Database, workers: Database
    ) -> None:
        hasty = QUICK.model_copy(update={"task_grace_seconds": 0.05})
        stuck = Painter(for_ever)
        await publish(database, {"n": 1})
        async with worker_of(workers, handlers_of(stuck), hasty).running():
            await eventually(lambda: stuck.seen, within=10)

        async with database.reading() as connection:
            row = (await connection.execute(select(TASKS.outbox))).one()
        assert (row.deliveries_count, row.acquired_token) == (0, None)

    async def test_a_stop_that_cannot_give_back_ends_all_the_same(
        self, database: Database, workers: Database
    ) -> None:
        hasty = QUICK.model_copy(update={"task_grace_seconds": 0.05})
        stuck = Painter(for_ever)
        await publish(database, {"n": 1})
        worker = worker_of(workers, handlers_of(stuck), hasty)
        with structlog.testing.capture_logs() as logs:
            async with AsyncExitStack() as lost, worker.running():
                await eventually(lambda: stuck.seen, within=10)
                await lost.enter_async_context(without_table(database, TASKS.outbox))

        assert "tasks.not_released" in {entry["event"] for entry in logs}
        assert await waiting_rows(database) == 1


class TestLostLeases:
    async def test_a_worker_that_lost_its_lease_does_not_decide(
        self, database: Database, workers: Database
    ) -> None:
        may_finish = asyncio.Event()

        async def wait(_payload: Payload) -> None:
            await may_finish.wait()

        painter = Painter(wait)
        with structlog.testing.capture_logs() as logs:
            async with worker_of(workers, handlers_of(painter)).running():
                await publish(database, {"n": 1})
                await eventually(lambda: painter.seen, within=10)
                async with database.transaction() as tx:
                    # As if another worker had claimed the row after the lease had run out.
                    stolen = {"acquired_token": func.gen_random_uuid()}
                    await tx.execute(update(TASKS.outbox).values(**stolen))
                await eventually(
                    lambda: [entry for entry in logs if entry["event"] == "tasks.leases_lost"],
                    within=10,
                )
                may_finish.set()

        assert await waiting_rows(database) == 1


class TestOutages:
    async def test_tasks_go_on_when_postgresql_has_been_restarted(
        self, own_postgres: PostgresServer
    ) -> None:
        await make_demo_schema(own_postgres.url())
        painter = Painter()
        async with (
            pool_of_workers(own_postgres.url()) as database,
            worker_of(database, handlers_of(painter)).running(),
        ):
            await publish(database, {"n": 1})
            await eventually(lambda: painter.seen, within=10)

            await own_postgres.stop()
            await own_postgres.start()

            await eventually(lambda: _published(database, {"n": 2}), within=20)
            await eventually(lambda: numbers(painter.seen) == [1, 2], within=30)

    async def test_a_worker_whose_connections_were_cut_listens_again(
        self, database: Database, workers: Database
    ) -> None:
        painter = Painter()
        async with worker_of(workers, handlers_of(painter)).running():
            await publish(database, {"n": 1})
            await eventually(lambda: painter.seen, within=10)
            async with database.reading() as connection:
                await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )

            await publish(database, {"n": 2})
            await eventually(lambda: numbers(painter.seen) == [1, 2], within=30)


class TestStart:
    async def test_a_waiting_task_that_nobody_handles_prevents_the_start(
        self, database: Database, workers: Database
    ) -> None:
        await write_raw(database, "demo.forgotten", b"{}")

        with pytest.raises(UnhandledTaskError, match=r"demo\.forgotten"):
            async with worker_of(workers, handlers_of(Painter())).running():
                pytest.fail("it started")

    async def test_the_pool_has_to_hold_every_connection(self, database: Database) -> None:
        many = QUICK.model_copy(update={"task_concurrency": 20})

        with pytest.raises(RuntimeError, match="pool"):
            async with worker_of(database, handlers_of(Painter()), many).running():
                pytest.fail("it started")


class TestPayloads:
    @pytest.mark.parametrize("payload", [b"", b"{", b"[1]", b'"text"', b"\xff"])
    async def test_what_is_no_payload_dies_at_once(
        self, database: Database, workers: Database, payload: bytes
    ) -> None:
        painter = Painter()
        await write_raw(database, PAINT, payload)

        async with worker_of(workers, handlers_of(painter)).running():
            await eventually(lambda: _one_is_dead(database), within=10)

        assert painter.seen == []


class TestObserving:
    async def test_runs_are_counted_by_outcome(self, database: Database, workers: Database) -> None:
        registry = CollectorRegistry()
        metrics = TaskMetrics(registry)

        async def choke(payload: Payload) -> None:
            if payload["n"] == 13:
                raise ArithmeticError

        worker = OutboxWorker(
            workers,
            features=[TASKS],
            handlers=handlers_of(Painter(choke)),
            settings=QUICK,
            observer=metrics,
        )
        async with worker.running():
            async with database.transaction() as tx:
                await OutboxQueue([TASKS], observer=metrics).publish(tx, PAINT, {"n": 1})
                await OutboxQueue([TASKS], observer=metrics).publish(tx, PAINT, {"n": 13})
            await eventually(lambda: _one_is_dead(database), within=10)

        def count(name: str, **labels: str) -> float | None:
            return registry.get_sample_value(name, {"task": PAINT, **labels})

        assert count("emoji_tasks_published_total") == 2
        assert count("emoji_tasks_finished_total", outcome="done") == 1
        assert count("emoji_tasks_finished_total", outcome="retried") == SOON.attempts - 1
        assert count("emoji_tasks_finished_total", outcome="dead") == 1
        assert count("emoji_task_seconds_count") == 1 + SOON.attempts
        assert count("emoji_tasks_running") == 0

    async def test_log_lines_of_a_run_name_the_request_that_published_it(
        self, database: Database, workers: Database
    ) -> None:
        seen: list[dict[str, object]] = []

        async def look(_payload: Payload) -> None:
            seen.append(structlog.contextvars.get_contextvars())

        with structlog.contextvars.bound_contextvars(request_id="req-1"):
            await publish(database, {"n": 1})
        async with worker_of(workers, handlers_of(look)).running():
            await eventually(lambda: seen, within=10)

        assert seen[0]["request_id"] == "req-1"
        assert seen[0]["task"] == PAINT


async def _one_is_dead(database: Database) -> bool:
    return len(await dead_reasons(database)) == 1


async def _published(database: Database, payload: Payload) -> bool:
    """Publish as soon as the server takes it."""
    try:
        await publish(database, payload)
    except Exception as error:
        raise AssertionError(repr(error)) from error
    return True
