"""What every carrier of tasks promises.

A new carrier is one more case of the fixture `carrier`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest

from emoji_gallery.kit.database import Database, DatabaseSettings, connect
from emoji_gallery.kit.outbox.queue import OutboxQueue
from emoji_gallery.kit.outbox.worker import OutboxWorker, WorkerSettings, worker_connections
from emoji_gallery.kit.queue import (
    Payload,
    PermanentTaskError,
    Queue,
    RetryPolicy,
    TaskHandler,
    UnhandledTaskError,
    UnknownTaskError,
    Worker,
)
from tests.demo_tasks import (
    PAINT,
    QUICK,
    SOON,
    SWEEP,
    TASKS,
    Painter,
    dead_reasons,
    for_ever,
    handlers_of,
    numbers,
    waiting_rows,
)
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(60)


@dataclass(frozen=True)
class Carrier:
    """One way to carry tasks, on the test's database."""

    database: Database
    workers: Database
    queue: Queue

    def worker(self, handlers: Sequence[TaskHandler], settings: WorkerSettings = QUICK) -> Worker:
        return OutboxWorker(self.database, features=[TASKS], handlers=handlers, settings=settings)

    async def publish(self, *payloads: Payload, key: str | None = None) -> None:
        async with self.database.transaction() as tx:
            for payload in payloads:
                await self.queue.publish(tx, PAINT, payload, key=key)


@pytest.fixture(params=["outbox"])
async def carrier(demo: Database, demo_url: str) -> AsyncIterator[Carrier]:
    settings = DatabaseSettings(
        database_url=demo_url, database_pool_size=2 * worker_connections([TASKS], QUICK)
    )
    workers = connect(settings, application_name="tests-worker")
    yield Carrier(demo, workers, OutboxQueue([TASKS]))
    await workers.close()


class TestPublish:
    async def test_a_committed_task_runs_with_its_payload(self, carrier: Carrier) -> None:
        painter = Painter()
        payload: Payload = {"n": 1, "names": ["ü", None], "nested": {"deep": 1.5}, "yes": True}

        async with carrier.worker(handlers_of(painter)).running():
            await carrier.publish(payload)
            await eventually(lambda: painter.seen, within=10)

        assert painter.seen == [payload]
        assert await waiting_rows(carrier.database) == 0

    async def test_a_task_published_before_the_worker_came_runs(self, carrier: Carrier) -> None:
        painter = Painter()
        await carrier.publish({"n": 1})

        async with carrier.worker(handlers_of(painter)).running():
            await eventually(lambda: painter.seen, within=10)

    async def test_a_rolled_back_task_never_runs(self, carrier: Carrier) -> None:
        painter = Painter()
        async with carrier.worker(handlers_of(painter)).running():
            with pytest.raises(LookupError):
                async with carrier.database.transaction() as tx:
                    await carrier.queue.publish(tx, PAINT, {"n": 1})
                    raise LookupError
            await carrier.publish({"n": 2})
            await eventually(lambda: painter.seen, within=10)

        assert numbers(painter.seen) == [2]

    async def test_a_delayed_task_runs_not_before_its_time(self, carrier: Carrier) -> None:
        loop = asyncio.get_running_loop()
        painter = Painter()
        async with carrier.worker(handlers_of(painter)).running():
            async with carrier.database.transaction() as tx:
                published = loop.time()
                await carrier.queue.publish(tx, PAINT, {"n": 1}, delay=timedelta(seconds=0.7))
            await eventually(lambda: painter.seen, within=10)

        assert loop.time() - published >= 0.7

    async def test_a_name_that_nobody_declares_is_refused(self, carrier: Carrier) -> None:
        async with carrier.database.transaction() as tx:
            with pytest.raises(UnknownTaskError, match=r"demo\.pant"):
                await carrier.queue.publish(tx, "demo.pant", {})

    async def test_a_payload_that_is_not_json_is_refused(self, carrier: Carrier) -> None:
        async with carrier.database.transaction() as tx:
            with pytest.raises(ValueError, match="not JSON"):
                await carrier.queue.publish(tx, PAINT, {"n": {1, 2}})  # type: ignore[dict-item]


class TestKeys:
    async def test_tasks_of_one_key_that_wait_run_once(self, carrier: Carrier) -> None:
        painter = Painter()
        await carrier.publish({"n": 1}, key="a")
        await carrier.publish({"n": 1}, key="a")
        await carrier.publish({"n": 2}, key="b")

        async with carrier.worker(handlers_of(painter)).running():
            await eventually(lambda: len(painter.seen) == 2, within=10)
        assert sorted(map(str, numbers(painter.seen))) == ["1", "2"]
        assert await waiting_rows(carrier.database) == 0

    async def test_a_task_whose_key_is_being_run_gets_a_run_of_its_own(
        self, carrier: Carrier
    ) -> None:
        may_finish = asyncio.Event()

        async def wait(_payload: Payload) -> None:
            await may_finish.wait()

        painter = Painter(wait)
        async with carrier.worker(handlers_of(painter)).running():
            await carrier.publish({"n": 1}, key="a")
            await eventually(lambda: painter.seen, within=10)
            for runs in (2, 3):
                await carrier.publish({"n": 1}, key="a")
                await eventually(partial(_has_run, painter, runs), within=10)
            may_finish.set()

        assert await waiting_rows(carrier.database) == 0

    async def test_a_joined_task_waits_for_both_transactions(self, carrier: Carrier) -> None:
        painter = Painter()
        await carrier.publish({"n": 1}, key="a")
        async with carrier.database.transaction() as tx:
            await carrier.queue.publish(tx, PAINT, {"n": 1}, key="a")
            async with carrier.worker(handlers_of(painter)).running():
                await carrier.publish({"n": 2})
                await eventually(lambda: painter.seen, within=10)

        assert numbers(painter.seen) == [2]
        async with carrier.worker(handlers_of(painter)).running():
            await eventually(lambda: numbers(painter.seen) == [2, 1], within=10)

    async def test_an_empty_or_endless_key_is_refused(self, carrier: Carrier) -> None:
        for key in ("", "k" * 201):
            with pytest.raises(ValueError, match="1 to 200"):
                await carrier.publish({"n": 1}, key=key)


class TestFailures:
    async def test_a_failed_task_is_tried_again(self, carrier: Carrier) -> None:
        async def fail_at_first(_payload: Payload) -> None:
            if len(painter.seen) < 3:
                raise ConnectionError

        painter = Painter(fail_at_first)
        async with carrier.worker(handlers_of(painter)).running():
            await carrier.publish({"n": 1})
            await eventually(lambda: len(painter.seen) == 3, within=10)

        assert await waiting_rows(carrier.database) == 0
        assert await dead_reasons(carrier.database) == []

    async def test_a_task_that_always_fails_dies_while_others_go_on(self, carrier: Carrier) -> None:
        async def choke(payload: Payload) -> None:
            if payload["n"] == 13:
                message = "poison"
                raise ArithmeticError(message)

        painter = Painter(choke)
        async with carrier.worker(handlers_of(painter)).running():
            await carrier.publish({"n": 13}, *({"n": n} for n in range(10)))
            await eventually(lambda: _are_dead(carrier, 1), within=20)

        assert numbers(painter.seen).count(13) == SOON.attempts
        assert sorted(set(map(str, numbers(painter.seen)))) == sorted(
            ["13", *(str(n) for n in range(10))]
        )
        assert await dead_reasons(carrier.database) == ["ArithmeticError: poison"]
        assert await waiting_rows(carrier.database) == 0

    async def test_a_permanent_failure_dies_at_once(self, carrier: Carrier) -> None:
        async def refuse(_payload: Payload) -> None:
            message = "no such emoji"
            raise PermanentTaskError(message)

        painter = Painter(refuse)
        async with carrier.worker(handlers_of(painter)).running():
            await carrier.publish({"n": 1})
            await eventually(lambda: _are_dead(carrier, 1), within=10)

        assert len(painter.seen) == 1
        assert await dead_reasons(carrier.database) == ["PermanentTaskError: no such emoji"]

    async def test_a_run_that_takes_too_long_has_failed(self, carrier: Carrier) -> None:
        once = RetryPolicy(attempts=1)
        handlers = handlers_of(for_ever, retry=once, timeout=timedelta(seconds=0.1))
        async with carrier.worker(handlers).running():
            await carrier.publish({"n": 1})
            await eventually(lambda: _are_dead(carrier, 1), within=10)

        assert await dead_reasons(carrier.database) == ["TimeoutError: "]


class TestWorkers:
    async def test_two_workers_share_the_tasks_and_run_each_once(self, carrier: Carrier) -> None:
        painter = Painter()
        handlers = handlers_of(painter)
        async with carrier.worker(handlers).running(), carrier.worker(handlers).running():
            await carrier.publish(*({"n": n} for n in range(60)))
            await eventually(lambda: _nothing_waits(carrier), within=20)

        assert sorted(int(str(n)) for n in numbers(painter.seen)) == list(range(60))

    async def test_a_long_task_keeps_its_lease(self, carrier: Carrier) -> None:
        short = QUICK.model_copy(update={"task_lease_seconds": 1.0})

        async def take_long(_payload: Payload) -> None:
            await asyncio.sleep(2.5)

        painter = Painter(take_long)
        handlers = handlers_of(painter)
        async with (
            carrier.worker(handlers, short).running(),
            carrier.worker(handlers, short).running(),
        ):
            await carrier.publish({"n": 1})
            await eventually(lambda: _nothing_waits(carrier), within=20)

        assert len(painter.seen) == 1

    async def test_a_stopping_worker_lets_running_tasks_end(self, carrier: Carrier) -> None:
        started, ended = asyncio.Event(), asyncio.Event()

        async def take_a_while(_payload: Payload) -> None:
            started.set()
            await asyncio.sleep(0.3)
            ended.set()

        async with carrier.worker(handlers_of(take_a_while)).running():
            await carrier.publish({"n": 1})
            await started.wait()

        assert ended.is_set()
        assert await waiting_rows(carrier.database) == 0

    async def test_what_outlasts_the_grace_is_given_back_at_once(self, carrier: Carrier) -> None:
        loop = asyncio.get_running_loop()
        hasty = QUICK.model_copy(update={"task_grace_seconds": 0.1, "task_lease_seconds": 60.0})
        stuck, painter = Painter(for_ever), Painter()
        async with carrier.worker(handlers_of(stuck), hasty).running():
            await carrier.publish({"n": 1})
            await eventually(lambda: stuck.seen, within=10)

        stopped = loop.time()
        async with carrier.worker(handlers_of(painter), hasty).running():
            await eventually(lambda: painter.seen, within=10)

        assert loop.time() - stopped < 10

    async def test_a_stopped_worker_takes_nothing_more(self, carrier: Carrier) -> None:
        painter = Painter()
        async with carrier.worker(handlers_of(painter)).running():
            pass

        await carrier.publish({"n": 1})

        assert await waiting_rows(carrier.database) == 1
        assert painter.seen == []

    async def test_a_running_worker_is_healthy_and_a_stopped_one_is_not(
        self, carrier: Carrier
    ) -> None:
        worker = carrier.worker(handlers_of(Painter()))
        async with worker.running():
            await worker.check()

        with pytest.raises(RuntimeError):
            await worker.check()


class TestHandlers:
    async def test_a_declared_task_without_handler_prevents_the_start(
        self, carrier: Carrier
    ) -> None:
        with pytest.raises(UnhandledTaskError, match=r"demo\.sweep"):
            carrier.worker([TaskHandler(PAINT, Painter())])

    async def test_a_handler_for_an_undeclared_task_prevents_the_start(
        self, carrier: Carrier
    ) -> None:
        with pytest.raises(UnknownTaskError, match=r"demo\.pant"):
            carrier.worker([*handlers_of(Painter()), TaskHandler("demo.pant", Painter())])

    async def test_two_handlers_for_a_task_prevent_the_start(self, carrier: Carrier) -> None:
        with pytest.raises(ValueError, match=r"demo\.sweep"):
            carrier.worker([*handlers_of(Painter()), TaskHandler(SWEEP, Painter())])


def _has_run(painter: Painter, times: int) -> bool:
    return len(painter.seen) == times


async def _are_dead(carrier: Carrier, count: int) -> bool:
    return len(await dead_reasons(carrier.database)) == count


async def _nothing_waits(carrier: Carrier) -> bool:
    return await waiting_rows(carrier.database) == 0
