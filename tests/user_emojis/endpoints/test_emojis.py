from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from emoji_gallery.contracts.identity import Scope
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.user_emojis.service.process import ProcessEmoji
from tests.clients import client_of
from tests.user_emojis import pictures
from tests.user_emojis.world import ALICE, BOB, World, uuid_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOBODYS = "uem_01m84kwk7ye058d1xq6tmdx8pb"


async def ready(world: World, content: bytes | None = None) -> dict[str, Any]:
    """An emoji of Alice's that has been processed."""
    emoji_id = await world.keep(content or pictures.png())
    await ProcessEmoji(world.db, world.assets, world.queue, world.time).process(uuid_of(emoji_id))
    async with world.client() as client:
        emoji: dict[str, Any] = (await client.get(f"/emoji/{emoji_id}")).json()
    assert emoji["status"] == "ready"
    return emoji


def next_path(answer: httpx.Response) -> str | None:
    """Where the next page is, as header and body agree."""
    cursor = answer.json()["next_cursor"]
    link = answer.headers.get("Link")
    if cursor is None:
        assert link is None
        return None
    assert link.endswith('>; rel="next"')
    path: str = link[1 : link.index(">")]
    assert parse_qs(urlsplit(path).query)["cursor"] == [cursor]
    return path


class TestList:
    async def test_the_newest_comes_first(self, world: World) -> None:
        ids = [await world.keep(pictures.png()) for _ in range(3)]
        assert [emoji["id"] for emoji in await world.listed()] == ids[::-1]

    async def test_items_carry_the_three_listed_renditions(self, world: World) -> None:
        emoji = await ready(world, pictures.png(width=600, height=300))
        (item,) = await world.listed()
        assert list(item.pop("renditions")) == ["64.webp", "128.webp", "512.webp"]
        emoji.pop("renditions")
        assert item == emoji

    async def test_pages_hold_every_emoji_once_and_tell_the_total(self, world: World) -> None:
        ids = [await world.keep(pictures.png()) for _ in range(5)]
        seen: list[str] = []
        sizes: list[int] = []
        path: str | None = "/user/emojis/alice?limit=2"
        async with world.client() as client:
            while path is not None:
                answer = await client.get(path)
                page = answer.json()
                assert page["total"] == 5
                sizes.append(len(page["items"]))
                seen += [emoji["id"] for emoji in page["items"]]
                path = next_path(answer)
        assert seen == ids[::-1]
        assert sizes == [2, 2, 1]

    async def test_a_page_is_not_moved_by_what_happens_meanwhile(self, world: World) -> None:
        ids = [await world.keep(pictures.png()) for _ in range(4)]
        async with world.client() as client:
            first = (await client.get("/user/emojis/alice?limit=2")).json()
            await client.delete(f"/emoji/{ids[3]}")
            await world.keep(pictures.png())
            rest = await client.get(
                "/user/emojis/alice", params={"limit": 2, "cursor": first["next_cursor"]}
            )
        assert [emoji["id"] for emoji in rest.json()["items"]] == [ids[1], ids[0]]

    async def test_a_cursor_is_bound_to_its_user_and_to_its_signature(self, world: World) -> None:
        for _ in range(2):
            await world.keep(pictures.png())
        async with world.client(scopes=["admin"]) as client:
            page = (await client.get("/user/emojis/alice?limit=1")).json()
            cursor = page["next_cursor"]
            flipped = ("A" if cursor[0] != "A" else "B") + cursor[1:]
            for path, given in (
                ("/user/emojis/bob", cursor),
                ("/user/emojis/alice", flipped),
                ("/user/emojis/alice", "nonsense"),
            ):
                answer = await client.get(path, params={"cursor": given})
                assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")

    @pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "colour=red"])
    async def test_a_query_that_makes_no_sense_is_refused(self, world: World, query: str) -> None:
        async with world.client() as client:
            answer = await client.get(f"/user/emojis/alice?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")

    async def test_a_user_id_may_hold_a_slash(self, world: World) -> None:
        user = UserId("auth0|team/alice?")
        ids = [await world.keep(pictures.png(), user=user) for _ in range(2)]
        assert [emoji["id"] for emoji in await world.listed(user)] == ids[::-1]
        async with world.client(user) as client:
            answer = await client.get("/user/emojis/auth0%7Cteam%2Falice%3F?limit=1")
            following = await client.get(next_path(answer) or "")
        assert [emoji["id"] for emoji in following.json()["items"]] == ids[:1]

    @pytest.mark.parametrize("scopes", [["admin"], ["service"]])
    async def test_admins_and_services_may_ask(self, world: World, scopes: Sequence[Scope]) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client(BOB, scopes=scopes) as client:
            answer = await client.get("/user/emojis/alice")
        assert [emoji["id"] for emoji in answer.json()["items"]] == [emoji_id]

    @pytest.mark.parametrize("scopes", [[], ["curator"]])
    async def test_nobody_else_learns_that_there_is_a_list(
        self, world: World, scopes: Sequence[Scope]
    ) -> None:
        await world.keep(pictures.png())
        async with world.client(BOB, scopes=scopes) as client:
            answer = await client.get("/user/emojis/alice")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    async def test_it_is_nobody_elses_to_store(self, world: World) -> None:
        async with world.client() as client:
            answer = await client.get("/user/emojis/alice")
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.json() == {"items": [], "total": 0, "next_cursor": None}


class TestGet:
    async def test_the_owner_sees_all_renditions_signed_for_a_user(self, world: World) -> None:
        emoji = await ready(world, pictures.gif())
        async with world.client() as client:
            answer = await client.get(f"/emoji/{emoji['id']}")
        assert answer.json() == emoji
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert set(emoji["renditions"]) == {"64.webp", "64.png"}
        for name, rendition in emoji["renditions"].items():
            url = urlsplit(rendition["url"])
            assert url.path == f"/media/{emoji['version']}/{name}"
            assert parse_qs(url.query)["key"][0].endswith(".u")

    @pytest.mark.parametrize("scopes", [["admin"], ["service"]])
    async def test_admins_and_services_may_look(
        self, world: World, scopes: Sequence[Scope]
    ) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client(BOB, scopes=scopes) as client:
            assert (await client.get(f"/emoji/{emoji_id}")).status_code == 200


class TestOfAnother:
    @pytest.mark.parametrize("scopes", [[], ["curator"]])
    async def test_anothers_emoji_is_not_found_by_any_verb(
        self, world: World, scopes: Sequence[Scope]
    ) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client(BOB, scopes=scopes) as client:
            answers = [
                await client.get(f"/emoji/{emoji_id}"),
                await client.patch(f"/emoji/{emoji_id}", json={"name": "mine"}),
                await client.delete(f"/emoji/{emoji_id}"),
                await client.post(f"/emoji/{emoji_id}/restore"),
            ]
            unknown = await client.get(f"/emoji/{NOBODYS}")
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
            assert answer.json()["detail"] == unknown.json()["detail"]
        (emoji,) = await world.listed()
        assert emoji["name"] == "cat"

    async def test_an_admin_looks_and_changes_nothing(self, world: World) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client(BOB, scopes=["admin"]) as client:
            assert (await client.delete(f"/emoji/{emoji_id}")).status_code == 404
            renamed = await client.patch(f"/emoji/{emoji_id}", json={"name": "mine"})
        assert renamed.status_code == 404

    @pytest.mark.parametrize(
        "emoji_id", ["uem_x", NOBODYS.replace("uem", "emj"), "42", NOBODYS.upper(), NOBODYS + "0"]
    )
    async def test_what_is_no_id_is_not_found(self, world: World, emoji_id: str) -> None:
        async with world.client() as client:
            answer = await client.get(f"/emoji/{emoji_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/user/emojis/alice"),
            ("GET", f"/emoji/{NOBODYS}"),
            ("PATCH", f"/emoji/{NOBODYS}"),
            ("DELETE", f"/emoji/{NOBODYS}"),
            ("POST", f"/emoji/{NOBODYS}/restore"),
            ("GET", "/me"),
        ],
    )
    async def test_without_a_token_nothing_is_told(
        self, world: World, method: str, path: str
    ) -> None:
        async with client_of(world.app) as client:
            answer = await client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert "WWW-Authenticate" in answer.headers


class TestPatch:
    async def test_what_is_sent_changes_and_the_rest_stays(self, world: World) -> None:
        emoji_id = await world.keep(pictures.png(), name="Tom", tags=["cat"])
        async with world.client() as client:
            renamed = await client.patch(f"/emoji/{emoji_id}", json={"name": "Jerry"})
            retagged = await client.patch(f"/emoji/{emoji_id}", json={"tags": ["mouse", "mouse"]})
            untagged = await client.patch(f"/emoji/{emoji_id}/", json={"tags": []})
        assert renamed.status_code == 200
        assert (renamed.json()["name"], renamed.json()["tags"]) == ("Jerry", ["cat"])
        assert (retagged.json()["name"], retagged.json()["tags"]) == ("Jerry", ["mouse"])
        assert untagged.json()["tags"] == []
        assert (await world.listed())[0]["name"] == "Jerry"

    @pytest.mark.parametrize(
        "body",
        [
            b"{}",
            b"",
            b"null",
            b"[]",
            b'{"name": "Jer',
            b'{"name": null}',
            b'{"name": 5}',
            b'{"name": ""}',
            b'{"name": "\\ud800"}',
            b'{"name": "a\\u0000b"}',
            b'{"name": "\\u202egnp"}',
            b'{"name": "' + b"x" * 65 + b'"}',
            b'{"tags": "cat"}',
            b'{"tags": [1]}',
            b'{"tags": [""]}',
            b'{"tags": ' + str(["x"] * 21).replace("'", '"').encode() + b"}",
            b'{"name": "Jerry", "status": "ready"}',
            b"\xff\xfe",
        ],
    )
    async def test_what_makes_no_sense_changes_nothing(self, world: World, body: bytes) -> None:
        emoji_id = await world.keep(pictures.png(), name="Tom")
        async with world.client() as client:
            answer = await client.patch(
                f"/emoji/{emoji_id}", content=body, headers={"Content-Type": "application/json"}
            )
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
        assert (await world.listed())[0]["name"] == "Tom"

    async def test_a_deleted_emoji_is_not_found(self, world: World) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
            answer = await client.patch(f"/emoji/{emoji_id}", json={"name": "Jerry"})
        assert answer.status_code == 404


class TestDelete:
    async def test_a_deleted_emoji_is_gone_from_everywhere(self, world: World) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client() as client:
            answer = await client.delete(f"/emoji/{emoji_id}")
            assert (answer.status_code, answer.content) == (204, b"")
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert (await client.get(f"/emoji/{emoji_id}")).status_code == 404
            assert (await client.delete(f"/emoji/{emoji_id}")).status_code == 404
        assert await world.listed() == []
        assert await world.used() == 0

    async def test_its_files_stay_as_long_as_it_can_be_restored(self, world: World) -> None:
        emoji = await ready(world)
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji['id']}")
        await world.assets.collect_now([emoji["version"]])
        assert await world.stored()

    async def test_as_many_stay_restorable_as_the_tier_allows(self, world: World) -> None:
        ids = []
        for _ in range(7):
            ids.append(await world.keep(pictures.png()))
            world.time.passes(seconds=1)
            async with world.client() as client:
                await client.delete(f"/emoji/{ids[-1]}")
        async with world.client() as client:
            restored = [(await client.post(f"/emoji/{one}/restore")).status_code for one in ids]
        assert restored == [404, 404, 200, 200, 200, 200, 200]


class TestRestore:
    async def test_a_restored_emoji_is_as_it_was_and_where_it_was(self, world: World) -> None:
        emoji = await ready(world)
        newer = await world.keep(pictures.png())
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji['id']}")
            world.time.passes(days=29, hours=23)
            answer = await client.post(f"/emoji/{emoji['id']}/restore")
        assert answer.status_code == 200
        restored = answer.json()
        assert restored["renditions"].keys() == emoji["renditions"].keys()
        assert restored | {"renditions": {}} == emoji | {"renditions": {}}
        assert [item["id"] for item in await world.listed()] == [newer, emoji["id"]]
        assert await world.used() == 2

    async def test_a_living_emoji_stays_as_it_is(self, world: World) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client() as client:
            answer = await client.post(f"/emoji/{emoji_id}/restore")
        assert (answer.status_code, answer.json()["id"]) == (200, emoji_id)
        assert await world.used() == 1

    async def test_it_needs_a_free_slot(self, world: World) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
            for _ in range(5):
                await world.keep(pictures.png())
            answer = await client.post(f"/emoji/{emoji_id}/restore")
        assert (answer.status_code, answer.json()["code"]) == (403, "upload_limit_reached")
        assert await world.used() == 5

    async def test_after_30_days_it_is_too_late(self, world: World) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
            world.time.passes(days=30, seconds=1)
            answer = await client.post(f"/emoji/{emoji_id}/restore")
        assert answer.status_code == 404

    async def test_one_that_was_deleted_while_processing_is_processed_then(
        self, world: World
    ) -> None:
        emoji_id = await world.keep(pictures.png())
        async with world.client() as client:
            await client.delete(f"/emoji/{emoji_id}")
            await world.run("DELETE FROM user_emojis.outbox")
            restored = await client.post(f"/emoji/{emoji_id}/restore")
        assert restored.json()["status"] == "processing"
        assert len(await world.run("SELECT 1 FROM user_emojis.outbox")) == 1


class TestMe:
    async def test_it_tells_the_tier_its_limits_and_what_is_used(self, world: World) -> None:
        await world.keep(pictures.png())
        async with world.client() as client:
            answer = await client.get("/me")
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.json() == {
            "user_id": "alice",
            "tier": "free",
            "uploads": {"limit": 5, "used": 1, "remaining": 4},
            "limits": {
                "bytes": 10 * 1024 * 1024,
                "side": 4096,
                "pixels": 16_800_000,
                "total_pixels": 50_000_000,
                "frames": 1000,
                "requests": {"reads_per_minute": 1200, "uploads_per_minute": 120},
            },
        }

    async def test_business_has_no_limit(self, world: World) -> None:
        async with world.client(tier="business") as client:
            uploads = (await client.get("/me")).json()["uploads"]
        assert uploads == {"limit": None, "used": 0, "remaining": None}

    async def test_after_a_downgrade_nothing_remains(self, world: World) -> None:
        for _ in range(6):
            await world.keep(pictures.png(), tier="premium")
        async with world.client() as client:
            uploads = (await client.get("/me")).json()["uploads"]
        assert uploads == {"limit": 5, "used": 6, "remaining": 0}

    async def test_a_service_is_told_of_the_user_it_acts_for(self, world: World) -> None:
        async with world.client(BOB, scopes=["service"], acting_for=ALICE) as client:
            assert (await client.get("/me")).json()["user_id"] == "alice"
