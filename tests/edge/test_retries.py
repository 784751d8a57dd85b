from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated

import httpx
import pytest
from fastapi import Body, FastAPI, Request, Response
from sqlalchemy import func, select

from emoji_gallery.contracts.identity import Actor, Tier
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.edge.problems import install_problem_handlers
from emoji_gallery.edge.retries import retryable
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import ForbiddenError, InvalidInputError
from emoji_gallery.kit.idempotency_store import IdempotencyStore
from tests.clients import client_of
from tests.demo_tasks import IDEMPOTENCY, without_table
from tests.waiting import eventually

FREE = Tier("free", 0, 5, 1, 1, 1, 1, 1, 600, 120)
ANN = Actor(UserId("ann"), FREE)
NOBODY = Actor(None, FREE)


async def nothing() -> None:
    """The work of an endpoint that has none."""


@dataclass
class Shop:
    """An API with one POST: it makes things, and does what a test wants in between."""

    store: IdempotencyStore
    actor: Actor = ANN
    work: Callable[[], Awaitable[None]] = nothing
    made: list[str] = field(default_factory=list)

    def app(self) -> FastAPI:
        app = FastAPI()
        install_problem_handlers(app)
        app.post("/things", response_model=None)(self.make)
        return app

    async def make(self, request: Request, name: Annotated[str, Body(embed=True)]) -> Response:
        async with retryable(request, self.actor, self.store) as attempt:
            if (answer := attempt.replay(sha256(name.encode()).digest())) is not None:
                return answer
            await self.work()
            async with self.store.db.transaction() as tx:
                response = Response(name, status_code=201, headers={"Location": f"/{name}"})
                await attempt.keep(tx, response)
            self.made.append(name)
            return response

    async def post(self, name: str, *, key: str | None = "k") -> httpx.Response:
        headers = {"Idempotency-Key": key} if key is not None else {}
        async with client_of(self.app()) as client:
            return await client.post("/things", json={"name": name}, headers=headers)

    async def kept(self) -> int:
        async with self.store.db.reading() as connection:
            result = await connection.execute(select(func.count()).select_from(IDEMPOTENCY))
            return int(result.scalar_one())


@pytest.fixture
def shop(demo: Database) -> Shop:
    return Shop(IdempotencyStore(demo, IDEMPOTENCY))


async def test_a_retry_is_answered_from_the_store(shop: Shop) -> None:
    first = await shop.post("cat")
    second = await shop.post("cat")

    assert shop.made == ["cat"]
    assert (second.status_code, second.content) == (201, b"cat")
    assert second.headers["location"] == first.headers["location"] == "/cat"
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers


async def test_without_a_key_nothing_is_kept(shop: Shop) -> None:
    await shop.post("cat", key=None)
    await shop.post("cat", key=None)

    assert shop.made == ["cat", "cat"]
    assert await shop.kept() == 0


async def test_another_payload_under_the_key_is_refused(shop: Shop) -> None:
    await shop.post("cat")
    other = await shop.post("dog")
    again = await shop.post("cat")

    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert again.status_code == 201
    assert shop.made == ["cat"]


async def test_a_request_under_way_answers_409(shop: Shop) -> None:
    may_finish = asyncio.Event()
    shop.work = may_finish.wait  # type: ignore[assignment]
    slow = asyncio.create_task(shop.post("cat"))
    await eventually(shop.kept, within=10)

    second = await shop.post("cat")
    may_finish.set()

    assert second.status_code == 409
    assert second.json()["code"] == "idempotency_in_flight"
    assert second.headers["retry-after"] == "1"
    assert (await slow).status_code == 201


async def test_a_refused_payload_is_refused_again_without_work(shop: Shop) -> None:
    async def refuse() -> None:
        message = "Too ugly."
        raise InvalidInputError(message)

    shop.work = refuse
    first = await shop.post("cat")
    shop.work = nothing
    second = await shop.post("cat")

    assert (first.status_code, second.status_code) == (422, 422)
    assert second.json() == first.json()
    assert second.headers["content-type"] == "application/problem+json"
    assert shop.made == []


@pytest.mark.parametrize("error", [ForbiddenError(), LookupError("a bug")])
async def test_any_other_outcome_frees_the_key(shop: Shop, error: Exception) -> None:
    async def fail() -> None:
        raise error

    shop.work = fail
    first = await shop.post("cat")
    shop.work = nothing
    second = await shop.post("cat")

    assert first.status_code in (403, 500)
    assert second.status_code == 201


async def test_a_client_that_leaves_frees_the_key(shop: Shop) -> None:
    shop.work = asyncio.Event().wait  # type: ignore[assignment]
    leaving = asyncio.create_task(shop.post("cat"))
    await eventually(shop.kept, within=10)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    shop.work = nothing
    assert (await shop.post("cat")).status_code == 201


async def test_anonymous_callers_have_no_keys(shop: Shop) -> None:
    shop.actor = NOBODY

    answer = await shop.post("cat")

    assert answer.status_code == 401
    assert await shop.kept() == 0


async def test_a_service_that_acts_for_a_user_has_keys_of_its_own(shop: Shop) -> None:
    await shop.post("cat")
    shop.actor = Actor(UserId("ann"), FREE, acting_service="editor")

    await shop.post("cat")

    assert shop.made == ["cat", "cat"]


async def test_a_key_that_is_none_is_refused(shop: Shop) -> None:
    answer = await shop.post("cat", key="two words")

    assert answer.status_code == 422
    assert answer.json()["code"] == "validation_error"


async def test_two_keys_are_refused(shop: Shop) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    async with client_of(shop.app()) as client:
        answer = await client.post("/things", json={"name": "cat"}, headers=headers)

    assert answer.status_code == 422


async def test_trouble_with_the_store_changes_no_answer(shop: Shop) -> None:
    async with AsyncExitStack() as stack:

        async def lose_the_table() -> None:
            await stack.enter_async_context(without_table(shop.store.db, IDEMPOTENCY))
            raise ForbiddenError

        shop.work = lose_the_table

        assert (await shop.post("cat")).status_code == 403
