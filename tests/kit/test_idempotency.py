from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from emoji_gallery.kit.clock import utc_now
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.errors import InvalidInputError
from emoji_gallery.kit.idempotency import (
    IdempotencyInFlightError,
    IdempotencyKeyReusedError,
    Scope,
    StoredAnswer,
    digest_of,
    parse_key,
)
from emoji_gallery.kit.idempotency_store import IdempotencyStore
from tests.demo_tasks import IDEMPOTENCY

SCOPE: Final = Scope(owner_id="ann", caller="ann", method="POST", path="/emoji")
CREATED: Final = StoredAnswer(201, {"location": "/emoji/uem_1"}, b'{"id": "uem_1"}')


@pytest.fixture
def store(demo: Database) -> IdempotencyStore:
    return IdempotencyStore(demo, IDEMPOTENCY)


async def age(store: IdempotencyStore, by: timedelta) -> None:
    """Let everything in the store have happened earlier."""
    table = store.table
    async with store.db.transaction() as tx:
        await tx.execute(
            update(table).values(
                claimed_at=table.c.claimed_at - by, answered_at=table.c.answered_at - by
            )
        )


async def rows(store: IdempotencyStore) -> int:
    async with store.db.reading() as connection:
        result = await connection.execute(select(func.count()).select_from(store.table))
        return int(result.scalar_one())


async def answer_once(store: IdempotencyStore, fingerprint: bytes = b"f") -> None:
    claim = await store.claim(SCOPE, "k")
    async with store.db.transaction() as tx:
        await store.complete(tx, claim, fingerprint, CREATED)


class TestClaim:
    async def test_the_first_request_gets_the_key(self, store: IdempotencyStore) -> None:
        claim = await store.claim(SCOPE, "k")

        assert claim.replay(b"f") is None

    async def test_a_second_request_meanwhile_is_told_to_wait(
        self, store: IdempotencyStore
    ) -> None:
        await store.claim(SCOPE, "k")

        with pytest.raises(IdempotencyInFlightError) as refusal:
            await store.claim(SCOPE, "k")
        assert refusal.value.headers == {"Retry-After": "1"}

    async def test_one_of_16_simultaneous_requests_gets_the_key(
        self, store: IdempotencyStore
    ) -> None:
        outcomes = await asyncio.gather(
            *(store.claim(SCOPE, "k") for _ in range(16)), return_exceptions=True
        )

        refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert len(refused) == 15
        assert {type(outcome) for outcome in refused} == {IdempotencyInFlightError}

    @pytest.mark.parametrize(
        "other",
        [
            Scope(owner_id="bob", caller="ann", method="POST", path="/emoji"),
            Scope(owner_id="ann", caller="robot", method="POST", path="/emoji"),
            Scope(owner_id="ann", caller="ann", method="PUT", path="/emoji"),
            Scope(owner_id="ann", caller="ann", method="POST", path="/emoji/uem_1/restore"),
        ],
    )
    async def test_keys_of_others_and_for_other_things_do_not_meet(
        self, store: IdempotencyStore, other: Scope
    ) -> None:
        await answer_once(store)

        claim = await store.claim(other, "k")

        assert claim.replay(b"f") is None

    async def test_a_claim_is_kept_for_a_minute(self, store: IdempotencyStore) -> None:
        await store.claim(SCOPE, "k")
        await age(store, timedelta(seconds=50))

        with pytest.raises(IdempotencyInFlightError):
            await store.claim(SCOPE, "k")

    async def test_a_released_key_is_free(self, store: IdempotencyStore) -> None:
        await store.release(await store.claim(SCOPE, "k"))

        assert (await store.claim(SCOPE, "k")).replay(b"f") is None


class TestReplay:
    async def test_a_retry_gets_the_first_answer(self, store: IdempotencyStore) -> None:
        await answer_once(store)

        claim = await store.claim(SCOPE, "k")

        assert claim.replay(b"f") == CREATED

    async def test_another_payload_is_refused(self, store: IdempotencyStore) -> None:
        await answer_once(store)

        claim = await store.claim(SCOPE, "k")

        with pytest.raises(IdempotencyKeyReusedError):
            claim.replay(b"other")

    async def test_an_answer_that_was_rolled_back_is_not_given(
        self, store: IdempotencyStore
    ) -> None:
        claim = await store.claim(SCOPE, "k")
        with pytest.raises(LookupError):
            async with store.db.transaction() as tx:
                await store.complete(tx, claim, b"f", CREATED)
                raise LookupError
        await store.release(claim)

        assert (await store.claim(SCOPE, "k")).replay(b"f") is None

    async def test_a_kept_refusal_is_given_again(self, store: IdempotencyStore) -> None:
        refusal = StoredAnswer(422, {"content-type": "application/problem+json"}, b"{}")
        await store.keep_refusal(await store.claim(SCOPE, "k"), b"f", refusal)

        assert (await store.claim(SCOPE, "k")).replay(b"f") == refusal

    async def test_answers_are_given_for_a_day_and_then_forgotten(
        self, store: IdempotencyStore
    ) -> None:
        await answer_once(store)

        await age(store, timedelta(hours=23))
        assert (await store.claim(SCOPE, "k")).replay(b"f") == CREATED
        await age(store, timedelta(hours=2))
        assert (await store.claim(SCOPE, "k")).replay(b"f") is None

    async def test_a_release_after_the_answer_changes_nothing(
        self, store: IdempotencyStore
    ) -> None:
        claim = await store.claim(SCOPE, "k")
        async with store.db.transaction() as tx:
            await store.complete(tx, claim, b"f", CREATED)

        await store.release(claim)

        assert (await store.claim(SCOPE, "k")).replay(b"f") == CREATED


class TestTakeover:
    async def test_a_claim_given_up_may_be_taken_over(self, store: IdempotencyStore) -> None:
        await store.claim(SCOPE, "k")
        await age(store, timedelta(seconds=61))

        assert (await store.claim(SCOPE, "k")).replay(b"f") is None

    async def test_the_one_that_was_taken_over_cannot_commit(self, store: IdempotencyStore) -> None:
        slow = await store.claim(SCOPE, "k")
        await age(store, timedelta(seconds=61))
        quick = await store.claim(SCOPE, "k")

        with pytest.raises(IdempotencyInFlightError):
            async with store.db.transaction() as tx:
                await store.complete(tx, slow, b"f", CREATED)
        async with store.db.transaction() as tx:
            await store.complete(tx, quick, b"f", CREATED)

        assert (await store.claim(SCOPE, "k")).replay(b"f") == CREATED

    async def test_nor_free_or_refuse_what_is_no_longer_its_own(
        self, store: IdempotencyStore
    ) -> None:
        slow = await store.claim(SCOPE, "k")
        await age(store, timedelta(seconds=61))
        await store.claim(SCOPE, "k")

        await store.release(slow)
        await store.keep_refusal(slow, b"f", CREATED)

        with pytest.raises(IdempotencyInFlightError):
            await store.claim(SCOPE, "k")

    async def test_a_takeover_waits_for_a_commit_under_way(self, store: IdempotencyStore) -> None:
        slow = await store.claim(SCOPE, "k")
        await age(store, timedelta(seconds=61))
        async with store.db.transaction() as tx:
            await store.complete(tx, slow, b"f", CREATED)
            other = asyncio.create_task(store.claim(SCOPE, "k"))
            await asyncio.wait([other], timeout=0.2)
            assert not other.done()

        assert (await other).replay(b"f") == CREATED


class TestForgetting:
    async def test_purge_removes_what_no_retry_may_see(self, store: IdempotencyStore) -> None:
        await answer_once(store)
        await store.claim(SCOPE, "given up")
        await age(store, timedelta(hours=25))
        await store.claim(SCOPE, "new")

        assert await store.purge() == 2
        assert await rows(store) == 1

    async def test_erasing_a_user_removes_their_answers_alone(
        self, store: IdempotencyStore
    ) -> None:
        await answer_once(store)
        bob = Scope(owner_id="bob", caller="bob", method="POST", path="/emoji")
        await store.claim(bob, "k")
        under_way = await store.claim(SCOPE, "under way")

        async with store.db.transaction() as tx:
            await store.forget_owner(tx, "ann", before=utc_now())

        assert await rows(store) == 1
        with pytest.raises(IdempotencyInFlightError):
            async with store.db.transaction() as tx:
                await store.complete(tx, under_way, b"f", CREATED)

    async def test_what_came_after_the_erasure_stays(self, store: IdempotencyStore) -> None:
        await answer_once(store)

        async with store.db.transaction() as tx:
            await store.forget_owner(tx, "ann", before=utc_now() - timedelta(hours=1))

        assert await rows(store) == 1


class TestKeys:
    @pytest.mark.parametrize(
        ("header", "key"),
        [
            ('"8e03978e-40d5-43e8"', "8e03978e-40d5-43e8"),
            ("8e03978e-40d5-43e8", "8e03978e-40d5-43e8"),
            ('"with blank"', "with blank"),
            (r'"a \"quoted\" \\ key"', r'a "quoted" \ key'),
            ('"' + "k" * 255 + '"', "k" * 255),
            ("k" * 255, "k" * 255),
        ],
    )
    def test_strings_and_bare_tokens_are_keys(self, header: str, key: str) -> None:
        assert parse_key(header) == key

    @pytest.mark.parametrize(
        "header",
        [
            *("", '""', '"', '"open', 'clo"se', "with blank", "tab\tbed", "ünï", '"ü"', "k" * 256),
            *(r'"bad \escape"', '"a", "b"', '"a";p=1'),
        ],
    )
    def test_anything_else_is_refused(self, header: str) -> None:
        with pytest.raises(InvalidInputError):
            parse_key(header)

    @given(st.lists(st.text(max_size=5), min_size=5, max_size=5), st.integers(0, 4))
    def test_parts_of_a_scope_never_run_into_each_other(self, parts: list[str], at: int) -> None:
        shifted = [*parts]
        shifted[at] += "x"

        assert digest_of(Scope(*parts[:4]), parts[4]) != digest_of(Scope(*shifted[:4]), shifted[4])
