from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx
import orjson
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emoji_gallery.contracts.identity import Actor
from emoji_gallery.edge.auth import Identify, caller_of
from emoji_gallery.edge.page_cache import CachedPages, PageCache, PageStore
from emoji_gallery.embedded.valkey import ValkeyServer
from emoji_gallery.kit.memory_cache import MemoryCache
from emoji_gallery.kit.redis_gate import RedisSettings, open_gate
from emoji_gallery.kit.two_level_cache import TwoLevelCache
from tests.clients import client_of
from tests.edge.visitors import Visitors
from tests.waiting import eventually

PUBLIC = "public, max-age=30, stale-while-revalidate=60"


@dataclass
class Shelf:
    """A feature whose answers may be kept; `answers` says for each path what it is."""

    version: int = 1
    status: int = 200
    asked: list[str] = field(default_factory=list)
    headers_seen: list[list[tuple[bytes, bytes]]] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        path, query = scope["path"], scope["query_string"].decode()
        self.asked.append(f"{scope['method']} {path}?{query}")
        self.headers_seen.append(list(scope["headers"]))
        await self.may_answer.wait()
        actor = caller_of(scope)
        tier = actor.tier.name if isinstance(actor, Actor) else "nobody"
        body = orjson.dumps({"path": path, "query": query, "tier": tier, "v": self.version})
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"link", b'</shelf?cursor=x>; rel="next"'),
            (b"surrogate-key", b"shelf"),
            (b"cache-control", b"max-age=5"),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body[:5], "more_body": True})
        await send({"type": "http.response.body", "body": body[5:]})

    def pages(self) -> list[CachedPages]:
        def variant(path: str, query: bytes, actor: Actor) -> str | None:
            if b"odd" in query:
                return None
            words = sorted(word for word in query.decode().split("&") if word)
            return f"{path}?{'&'.join(words)}:{actor.tier.name}"

        return [
            CachedPages(path, variant, lambda: str(self.version), lambda: PUBLIC)
            for path in ("/shelf", "/shelf/", "/shelf/labels")
        ]


# Makes one more process that serves the shelf.
NewProcess = Callable[[], ASGIApp]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def new_process(redis_url: str, shelf: Shelf) -> AsyncIterator[NewProcess]:
    async with AsyncExitStack() as stack:

        def make() -> ASGIApp:
            gate = open_gate(RedisSettings(redis_url=redis_url, redis_timeout_ms=5000))
            stack.push_async_callback(gate.close)
            shared = TwoLevelCache(MemoryCache(max_bytes=0), gate)
            store = PageStore(MemoryCache(max_bytes=1_000_000), shared)
            return Identify(PageCache(shelf, shelf.pages(), store), Visitors())

        yield make


@pytest.fixture
def app(new_process: NewProcess) -> ASGIApp:
    return new_process()


async def get(
    app: ASGIApp, url: str = "/shelf", *, token: str | None = None, tag: str | None = None
) -> httpx.Response:
    headers = {} if tag is None else {"If-None-Match": tag}
    async with client_of(app, token=token) as client:
        return await client.get(url, headers=headers)


class TestHits:
    async def test_a_page_is_made_once(self, app: ASGIApp, shelf: Shelf) -> None:
        first = await get(app)
        second = await get(app)

        assert shelf.asked == ["GET /shelf?"]
        assert second.content == first.content
        assert second.headers == first.headers
        assert second.headers["content-type"] == "application/json"
        assert second.headers["link"] == '</shelf?cursor=x>; rel="next"'
        assert second.headers["surrogate-key"] == "shelf"
        assert second.headers["content-length"] == str(len(second.content))

    async def test_queries_that_mean_the_same_are_one_page(
        self, app: ASGIApp, shelf: Shelf
    ) -> None:
        await get(app, "/shelf?a=1&b=2")
        await get(app, "/shelf?b=2&a=1")

        assert shelf.asked == ["GET /shelf?a=1&b=2"]

    async def test_long_queries_are_kept_too(self, app: ASGIApp, shelf: Shelf) -> None:
        await get(app, f"/shelf?ids={'x' * 300}")
        await get(app, f"/shelf?ids={'x' * 300}")

        assert len(shelf.asked) == 1

    async def test_tiers_see_different_pages(self, app: ASGIApp) -> None:
        free = await get(app, token="ann")
        premium = await get(app, token="bob@premium")

        assert (free.json()["tier"], premium.json()["tier"]) == ("free", "premium")
        assert free.headers["etag"] != premium.headers["etag"]

    async def test_users_of_a_tier_share_a_page(self, app: ASGIApp, shelf: Shelf) -> None:
        await get(app, token="ann")
        await get(app, token="bob")
        await get(app)

        assert len(shelf.asked) == 1

    async def test_processes_share_pages_through_redis(
        self, new_process: NewProcess, shelf: Shelf
    ) -> None:
        first = await get(new_process())
        second = await get(new_process())

        assert len(shelf.asked) == 1
        assert second.content == first.content
        assert second.headers == first.headers

    async def test_a_new_generation_is_made_anew(self, app: ASGIApp, shelf: Shelf) -> None:
        await get(app)
        shelf.version = 2

        assert (await get(app)).json()["v"] == 2

    async def test_pages_below_a_path_are_kept_apart(self, app: ASGIApp, shelf: Shelf) -> None:
        urls = ["/shelf/one", "/shelf/two", "/shelf/labels", "/shelf"]
        first = [(await get(app, url)).json()["path"] for url in urls]
        again = [(await get(app, url)).json()["path"] for url in urls]

        assert first == again == urls
        assert len(shelf.asked) == 4

    async def test_the_route_sees_no_headers_of_a_request_that_others_share(
        self, app: ASGIApp, shelf: Shelf
    ) -> None:
        async with client_of(app, token="ann") as client:
            await client.get("/shelf", headers={"Host": "evil.example", "Range": "bytes=0-1"})

        assert shelf.headers_seen == [[]]

    async def test_the_remembered_variants_are_bounded(
        self, app: ASGIApp, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("emoji_gallery.edge.page_cache._MOST_VARIANTS", 2)
        for _ in range(2):
            for word in "abc":
                await get(app, f"/shelf?{word}")

        assert len(shelf.asked) == 3


class TestMisses:
    async def test_one_miss_works_for_all_that_wait(self, app: ASGIApp, shelf: Shelf) -> None:
        shelf.may_answer.clear()
        waiting = [asyncio.create_task(get(app)) for _ in range(50)]
        await eventually(lambda: shelf.asked, within=10)
        shelf.may_answer.set()

        answers = await asyncio.gather(*waiting)

        assert len({answer.content for answer in answers}) == 1
        assert len(shelf.asked) == 1

    async def test_a_client_that_leaves_does_not_end_the_work(
        self, app: ASGIApp, shelf: Shelf
    ) -> None:
        shelf.may_answer.clear()
        leaving, staying = (asyncio.create_task(get(app)) for _ in range(2))
        await eventually(lambda: shelf.asked, within=10)
        leaving.cancel()
        shelf.may_answer.set()

        assert (await staying).status_code == 200
        assert len(shelf.asked) == 1

    async def test_what_is_no_page_is_answered_and_not_kept(
        self, app: ASGIApp, shelf: Shelf
    ) -> None:
        shelf.status = 404
        missing = await get(app)
        shelf.status = 200
        found = await get(app)

        assert missing.status_code == 404
        assert missing.headers["cache-control"] == "max-age=5"
        assert "etag" not in missing.headers
        assert missing.json()["path"] == "/shelf"
        assert found.status_code == 200

    async def test_pages_outlive_an_outage_of_redis(
        self, app: ASGIApp, shelf: Shelf, valkey: ValkeyServer
    ) -> None:
        await get(app)
        await valkey.stop()

        assert (await get(app)).status_code == 200
        assert (await get(app, "/shelf/one")).status_code == 200
        assert (await get(app, "/shelf/one")).status_code == 200
        assert len(shelf.asked) == 2
        await valkey.start()


class TestConditions:
    @pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"other",W/{} , "third"', "*"])
    async def test_a_client_that_has_the_page_gets_304(self, app: ASGIApp, form: str) -> None:
        known = await get(app)

        answer = await get(app, tag=form.format(known.headers["etag"]))

        assert answer.status_code == 304
        assert answer.content == b""
        for name in ("etag", "cache-control", "vary", "link", "surrogate-key"):
            assert answer.headers[name] == known.headers[name]
        assert "content-type" not in answer.headers

    async def test_a_client_that_has_another_page_gets_this_one(self, app: ASGIApp) -> None:
        assert (await get(app, tag='"other"')).status_code == 200

    async def test_a_tag_names_its_content(self, app: ASGIApp, shelf: Shelf) -> None:
        before = (await get(app)).headers["etag"]
        shelf.version = 2
        changed = (await get(app)).headers["etag"]
        shelf.version = 1

        assert before != changed
        assert (await get(app)).headers["etag"] == before

    async def test_head_tells_what_get_would(self, app: ASGIApp, shelf: Shelf) -> None:
        async with client_of(app) as client:
            head = await client.head("/shelf")
            page = await client.get("/shelf")

        assert head.status_code == 200
        assert head.content == b""
        assert head.headers == page.headers
        assert shelf.asked == ["GET /shelf?"]

    async def test_head_of_what_is_no_page_has_no_body(self, app: ASGIApp, shelf: Shelf) -> None:
        shelf.status = 404
        async with client_of(app) as client:
            head = await client.head("/shelf")

        assert (head.status_code, head.content) == (404, b"")


class TestCacheControl:
    async def test_visitors_pages_may_be_kept_by_everybody(self, app: ASGIApp) -> None:
        answer = await get(app)

        assert answer.headers["cache-control"] == PUBLIC
        assert answer.headers["vary"] == "Authorization, Accept-Encoding"

    async def test_with_a_token_no_shared_cache_may_keep_it(self, app: ASGIApp) -> None:
        await get(app)

        answer = await get(app, token="ann")

        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["etag"]
        assert answer.headers["vary"] == "Authorization, Accept-Encoding"

    async def test_odd_requests_are_not_kept_but_told_the_same(
        self, app: ASGIApp, shelf: Shelf
    ) -> None:
        first = await get(app, "/shelf?odd=1")
        second = await get(app, "/shelf?odd=1", token="ann")
        known = await get(app, "/shelf?odd=1", tag=first.headers["etag"])

        assert len(shelf.asked) == 3
        assert first.headers["cache-control"] == PUBLIC
        assert second.headers["cache-control"] == "private, no-cache"
        assert known.status_code == 304

    async def test_without_a_store_every_request_is_made_anew(self, shelf: Shelf) -> None:
        app = Identify(PageCache(shelf, shelf.pages(), None), Visitors())

        first = await get(app)
        second = await get(app, tag=first.headers["etag"])

        assert len(shelf.asked) == 2
        assert first.headers["cache-control"] == PUBLIC
        assert second.status_code == 304


class TestOthers:
    @pytest.mark.parametrize("url", ["/other", "/shelves", "/shelf/one/more", "/"])
    async def test_other_paths_pass_untouched(self, app: ASGIApp, shelf: Shelf, url: str) -> None:
        answer = await get(app, url)
        await get(app, url)

        assert len(shelf.asked) == 2
        assert answer.headers["cache-control"] == "max-age=5"
        assert "etag" not in answer.headers

    async def test_other_methods_pass_untouched(self, app: ASGIApp, shelf: Shelf) -> None:
        async with client_of(app) as client:
            answer = await client.patch("/shelf/one")

        assert shelf.asked == ["PATCH /shelf/one?"]
        assert "etag" not in answer.headers

    async def test_a_refused_token_is_the_routes_to_answer(
        self, app: ASGIApp, shelf: Shelf
    ) -> None:
        answer = await get(app, token="forged")
        await get(app, token="forged")

        assert len(shelf.asked) == 2
        assert answer.json()["tier"] == "nobody"

    async def test_metrics_learn_which_pages_were_asked(self, shelf: Shelf) -> None:
        layer = Identify(PageCache(shelf, shelf.pages(), None), Visitors())
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/shelf/one",
            "query_string": b"",
            "headers": [],
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": b""}

        async def send(_message: Message) -> None:
            """The answer is not looked at."""

        await layer(scope, receive, send)

        assert scope["cached_route"] == "/shelf/"
