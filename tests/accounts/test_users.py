"""`/users`: who may do what, and what comes of it."""

from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

import pytest

from emoji_gallery.accounts.service import erasure
from emoji_gallery.accounts.service.erasure import EraseUser
from emoji_gallery.contracts.identity import Scope
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.edge.provide import service_of
from tests.accounts.world import ALICE, BOB, Drawer, World, world_of

ROUTES = [
    ("GET", "/users/alice", None),
    ("GET", "/users/alice/export", None),
    ("PUT", "/users/alice", {"tier": "premium"}),
    ("DELETE", "/users/alice", None),
]

# What each kind of caller is answered on each route, in the order of ROUTES.
CALLERS: list[tuple[str, UserId, list[Scope], tuple[int, ...]]] = [
    ("the user", ALICE, [], (200, 200, 403, 403)),
    ("another user", BOB, [], (404, 404, 403, 403)),
    ("a curator", BOB, ["curator"], (404, 404, 403, 403)),
    ("an admin", BOB, ["admin"], (200, 200, 403, 204)),
    ("a service", BOB, ["service"], (200, 200, 200, 204)),
    ("a curating admin", BOB, ["curator", "admin"], (200, 200, 403, 204)),
]


@pytest.fixture
async def alice(world: World) -> str:
    """Alice has been here: her token."""
    token = world.token(tier="premium")
    await world.actor(token)
    return token


@pytest.fixture
def service(world: World) -> str:
    return world.token(UserId("editor"), scopes=["service"])


async def test_each_kind_of_caller_may_do_this_much(world: World) -> None:
    for kind, user_id, scopes, answers in CALLERS:
        await world.actor(world.token(ALICE))
        token = world.token(user_id, scopes=scopes)
        for (method, path, json), expected in zip(ROUTES, answers, strict=True):
            answer = await world.call(method, path, token=token, json=json)
            assert answer.status_code == expected, f"{kind}: {method} {path}"
            if expected >= 400:
                assert answer.headers["Content-Type"] == "application/problem+json"


async def test_without_a_token_every_route_answers_401(world: World) -> None:
    for method, path, json in ROUTES:
        answer = await world.call(method, path, json=json)

        assert answer.status_code == 401, f"{method} {path}"
        assert answer.json()["code"] == "unauthenticated"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


async def test_with_a_forged_token_every_route_answers_401(world: World) -> None:
    forged = world.token(scopes=["admin", "service"])[:-4] + "AAAA"
    for method, path, json in ROUTES:
        answer = await world.call(method, path, token=forged, json=json)

        assert answer.status_code == 401, f"{method} {path}"
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.usefixtures("alice")
async def test_a_service_that_acts_for_a_user_has_the_users_rights(
    world: World, service: str
) -> None:
    for method, path, json in ROUTES:
        as_alice = await world.call(method, path, token=service, acting_for=ALICE, json=json)
        as_bob = await world.call(method, path, token=service, acting_for=BOB, json=json)

        assert as_alice.status_code == (200 if method == "GET" else 403)
        assert as_bob.status_code == (404 if method == "GET" else 403)


class TestRead:
    async def test_users_see_the_tier_that_their_token_claims(
        self, world: World, alice: str
    ) -> None:
        answer = await world.call("GET", "/users/alice", token=alice)
        now = world.time().isoformat().replace("+00:00", "Z")

        assert answer.json() == {
            "user_id": "alice",
            "tier": "premium",
            "stored_tier": None,
            "tokens_revoked_before": None,
            "created_at": now,
            "updated_at": now,
        }
        assert answer.headers["Cache-Control"] == "private, no-store"

    @pytest.mark.usefixtures("alice")
    async def test_others_see_what_is_stored(self, world: World, service: str) -> None:
        before = await world.call("GET", "/users/alice", token=service)
        await world.call("PUT", "/users/alice", token=service, json={"tier": "business"})
        after = await world.call("GET", "/users/alice", token=service)

        assert (before.json()["tier"], before.json()["stored_tier"]) == ("free", None)
        assert (after.json()["tier"], after.json()["stored_tier"]) == ("business", "business")

    async def test_who_was_never_here_is_not_found(self, world: World, service: str) -> None:
        assert (await world.call("GET", "/users/nobody", token=service)).status_code == 404
        answer = await world.call("GET", "/users/nobody/export", token=service)
        assert answer.status_code == 404

    async def test_any_user_id_fits_into_a_path(self, world: World, service: str) -> None:
        for user_id in ("auth0|5f7/x", "a/export", "100%", "ü 🦊", "a+b", "%2F"):
            path = "/users/" + quote(user_id, safe="")
            put = await world.call("PUT", path, token=service, json={"tier": "premium"})
            actor = await world.actor(world.token(UserId(user_id)))

            assert put.json()["user_id"] == user_id
            assert (await world.call("GET", path + "/", token=service)).json() == put.json()
            assert actor.tier.name == "premium"

    async def test_what_cannot_be_a_user_is_refused(self, world: World, service: str) -> None:
        for path in ("/users/" + "a" * 129, "/users/%00", "/users/a%0Ab"):
            answer = await world.call("GET", path, token=service)

            assert answer.status_code == 422, path
            assert answer.json()["code"] == "validation_error"


class TestPut:
    async def test_the_stored_tier_holds_at_once_and_null_gives_it_back_to_the_claim(
        self, world: World, alice: str, service: str
    ) -> None:
        tiers = []
        for tier in ("business", "free", None):
            put = await world.call("PUT", "/users/alice", token=service, json={"tier": tier})
            assert put.status_code == 200
            assert put.json()["stored_tier"] == tier
            tiers.append((await world.actor(alice)).tier.name)

        assert tiers == ["business", "free", "premium"]

    async def test_a_user_may_be_put_on_a_tier_before_the_first_visit(
        self, world: World, service: str
    ) -> None:
        await world.call("PUT", "/users/carol", token=service, json={"tier": "business"})

        assert (await world.actor(world.token(UserId("carol")))).tier.name == "business"

    async def test_a_body_that_names_no_tier_changes_nothing(
        self, world: World, alice: str, service: str
    ) -> None:
        bodies: list[object] = [
            {"tier": "platinum"},
            {"tier": ""},
            {"tier": "Free"},
            {"tier": "free\u0000"},
            {"tier": "t" * 65},
            {"tier": 1},
            {"tier": ["free"]},
            {},
            {"tier": "free", "user_id": "bob"},
            [],
            "free",
            None,
        ]
        for body in bodies:
            answer = await world.call("PUT", "/users/alice", token=service, json=body)

            assert answer.status_code == 422, body
            assert answer.json()["code"] == "validation_error"
        unchanged = await world.call("GET", "/users/alice", token=alice)
        assert unchanged.json()["stored_tier"] is None

    async def test_an_unknown_tier_is_answered_with_those_that_there_are(
        self, world: World, service: str
    ) -> None:
        answer = await world.call("PUT", "/users/alice", token=service, json={"tier": "gold"})

        assert answer.json()["tiers"] == ["free", "premium", "business"]
        assert (await world.call("GET", "/users/alice", token=service)).status_code == 404


class TestExport:
    async def test_it_holds_all_that_is_kept_of_a_user(self, world: World, alice: str) -> None:
        await world.desk.users.put_on_tier(ALICE, "business")
        secret, _ = await world.desk.keys.create(ALICE, label="CI", scopes=["curator"])
        await world.desk.keys.create(BOB, label="not hers", scopes=[])
        world.drawer.draw(ALICE, "a fox", world.time())
        world.drawer.draw(BOB, "a cat", world.time())
        answer = await world.call("GET", "/users/alice/export", token=alice)
        export = answer.json()

        assert answer.headers["Cache-Control"] == "private, no-store"
        assert export["user_id"] == "alice"
        assert export["account"]["stored_tier"] == "business"
        assert [key["label"] for key in export["api_keys"]] == ["CI"]
        assert export["api_keys"][0]["scopes"] == ["curator"]
        assert export["data"] == {"drawings": [{"title": "a fox"}]}
        assert secret not in answer.text

    async def test_half_an_export_is_none(self, world: World, alice: str) -> None:
        world.drawer.broken = True
        answer = await world.call("GET", "/users/alice/export", token=alice)

        assert answer.status_code == 500


class TestErasure:
    async def test_everything_of_the_user_is_gone_and_nothing_of_others(
        self, world: World, service: str
    ) -> None:
        secret, _ = await world.desk.keys.create(ALICE, label="CI", scopes=[])
        bobs, _ = await world.desk.keys.create(BOB, label="CI", scopes=[])
        await world.desk.users.put_on_tier(ALICE, "premium")
        world.drawer.draw(ALICE, "a fox", world.time())
        world.drawer.draw(BOB, "a cat", world.time())
        await world.actor(secret)
        world.time.passes(1)
        erased = await world.call("DELETE", "/users/alice", token=service)

        assert erased.status_code == 204
        assert erased.content == b""
        assert (await world.call("GET", "/users/alice", token=service)).status_code == 404
        assert (await world.call("GET", "/users/alice/export", token=service)).status_code == 404
        assert (await world.call("GET", "/users/alice", token=secret)).status_code == 401
        assert world.drawer.titles(ALICE) == []
        assert world.drawer.titles(BOB) == ["a cat"]
        assert (await world.actor(bobs)).user_id == "bob"

    async def test_erasing_again_changes_nothing(self, world: World, service: str) -> None:
        for user_id in ("alice", "alice", "nobody"):
            answer = await world.call("DELETE", f"/users/{user_id}", token=service)
            assert answer.status_code == 204

    async def test_a_token_of_the_same_user_starts_afresh(
        self, world: World, alice: str, service: str
    ) -> None:
        await world.desk.users.put_on_tier(ALICE, "business")
        await world.call("DELETE", "/users/alice", token=service)
        world.time.passes(1)
        world.drawer.draw(ALICE, "a new fox", world.time())

        assert (await world.actor(alice)).tier.name == "premium"
        fresh = (await world.call("GET", "/users/alice", token=alice)).json()
        assert fresh["stored_tier"] is None
        assert datetime.fromisoformat(fresh["created_at"]) == world.time()
        assert world.drawer.titles(ALICE) == ["a new fox"]

    async def test_what_was_revoked_stays_revoked(
        self, world: World, alice: str, service: str
    ) -> None:
        world.time.passes(1)
        await world.desk.users.revoke_tokens(ALICE)
        world.time.passes(1)
        await world.call("DELETE", "/users/alice", token=service)

        assert (await world.call("GET", "/users/alice", token=alice)).status_code == 401
        assert (await world.call("GET", "/users/alice", token=service)).status_code == 404
        later = world.token()
        fresh = await world.call("GET", "/users/alice", token=later)
        assert fresh.status_code == 200
        assert datetime.fromisoformat(fresh.json()["created_at"]) == world.time()

    async def test_other_processes_refuse_an_erased_users_key_within_a_minute(
        self, world: World, service: str
    ) -> None:
        elsewhere = world_of(world.db, world.time)
        secret, _ = await world.desk.keys.create(ALICE, label="CI", scopes=[])
        await elsewhere.actor(secret)
        await world.call("DELETE", "/users/alice", token=service)
        world.time.passes(25)

        answer = await elsewhere.call("GET", "/users/alice", token=secret)
        assert answer.status_code == 401

    async def test_an_unknown_method_says_which_there_are(self, world: World, alice: str) -> None:
        answer = await world.call("PATCH", "/users/alice", token=alice)

        assert answer.status_code == 405
        assert answer.json()["code"] == "method_not_allowed"


class TestUnfinishedErasure:
    @pytest.fixture(autouse=True)
    async def _drawings(self, world: World, alice: str) -> None:
        assert alice
        world.drawer.draw(ALICE, "a fox", world.time())
        world.drawer.broken = True
        world.time.passes(1)

    async def test_a_part_that_fails_is_answered_202_and_the_account_is_gone(
        self, world: World, service: str
    ) -> None:
        answer = await world.call("DELETE", "/users/alice", token=service)

        assert answer.status_code == 202
        assert (await world.call("GET", "/users/alice", token=service)).status_code == 404
        assert world.drawer.titles(ALICE) == ["a fox"]

    async def test_a_part_that_hangs_is_left_to_the_task(
        self, world: World, service: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(erasure, "_PATIENCE_SECONDS", 0.05)
        world.drawer.hanging = True
        answer = await world.call("DELETE", "/users/alice", token=service)

        assert answer.status_code == 202
        assert (await world.call("GET", "/users/alice", token=service)).status_code == 404

    async def test_one_part_that_fails_keeps_no_other_from_erasing(self, world: World) -> None:
        whole = Drawer(name="sketches")
        whole.draw(ALICE, "a hare", world.time())
        world.time.passes(1)
        both = replace(
            service_of(world.feature.services, EraseUser), user_data=[world.drawer, whole]
        )

        assert not await both.erase(ALICE)
        assert whole.titles(ALICE) == []
