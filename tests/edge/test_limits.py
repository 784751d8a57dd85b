from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emoji_gallery.edge.addresses import ClientAddresses, parse_networks
from emoji_gallery.edge.auth import Identify
from emoji_gallery.edge.limits import RateLimits
from emoji_gallery.embedded.valkey import ValkeyServer
from emoji_gallery.kit.limiter import Limiter
from emoji_gallery.kit.local_limiter import LocalLimiter
from emoji_gallery.kit.redis_gate import RedisSettings, open_gate
from emoji_gallery.kit.redis_limiter import RedisLimiter
from tests.clients import client_of
from tests.edge.visitors import ANONYMOUS_READS, FREE, PREMIUM, Visitors
from tests.waiting import eventually


@dataclass
class Counter:
    """An application that counts what reaches it, and answers with a header of its own."""

    reached: int = 0

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.reached += 1
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"here"})


@pytest.fixture
def behind() -> Counter:
    return Counter()


@pytest.fixture
def visitors() -> Visitors:
    return Visitors()


@pytest.fixture
async def limiter(redis_url: str) -> AsyncIterator[Limiter]:
    gate = open_gate(RedisSettings(redis_url=redis_url, redis_timeout_ms=5000))
    yield RedisLimiter(gate, LocalLimiter(replicas=2))
    await gate.close()


@pytest.fixture
def app(behind: Counter, visitors: Visitors, limiter: Limiter) -> ASGIApp:
    addresses = ClientAddresses(parse_networks("127.0.0.1"))
    return Identify(RateLimits(behind, limiter, visitors, addresses), visitors)


async def get(
    app: ASGIApp, path: str = "/gallery", *, token: str | None = None, address: str = "192.0.2.1"
) -> httpx.Response:
    async with client_of(app, token=token) as client:
        return await client.get(path, headers={"X-Forwarded-For": address})


async def upload(app: ASGIApp, name: str = "ann") -> httpx.Response:
    async with client_of(app, token=name) as client:
        return await client.post("/emoji", content=b"picture" * 1000)


async def test_every_answer_tells_the_policy_and_what_remains(app: ASGIApp) -> None:
    first = await get(app, token="ann")
    second = await get(app, token="ann")

    assert first.headers["ratelimit-policy"] == '"reads";q=4;w=60'
    assert first.headers["ratelimit"] == '"reads";r=3;t=60'
    assert second.headers["ratelimit"].startswith('"reads";r=2;t=')
    assert first.headers["content-type"] == "text/plain"
    assert first.text == "here"


async def test_a_user_beyond_the_limit_is_refused(app: ASGIApp, behind: Counter) -> None:
    for _ in range(FREE.reads_per_minute):
        assert (await get(app, token="ann")).status_code == 200
    refused = await get(app, token="ann")

    assert refused.status_code == 429
    assert behind.reached == FREE.reads_per_minute
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["cache-control"] == "no-store"
    assert refused.headers["ratelimit"].startswith('"reads";r=0;t=')
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    problem = refused.json()
    assert (problem["code"], problem["policy"], problem["limit"]) == ("rate_limited", "reads", 4)
    assert problem["retry_after"] == int(refused.headers["retry-after"])


async def test_64_simultaneous_requests_never_exceed_the_limit(
    app: ASGIApp, behind: Counter
) -> None:
    answers = await asyncio.gather(*(get(app, token="ann") for _ in range(64)))

    assert [answer.status_code for answer in answers].count(200) == FREE.reads_per_minute
    assert behind.reached == FREE.reads_per_minute


async def test_a_higher_tier_has_a_higher_limit_of_its_own(app: ASGIApp) -> None:
    for _ in range(FREE.reads_per_minute):
        await get(app, token="ann")

    upgraded = await get(app, token="ann@premium")

    assert upgraded.headers["ratelimit-policy"] == '"reads";q=6;w=60'
    assert upgraded.headers["ratelimit"] == f'"reads";r={PREMIUM.reads_per_minute - 1};t=60'


async def test_visitors_are_counted_by_address(app: ASGIApp) -> None:
    for _ in range(ANONYMOUS_READS):
        assert (await get(app)).status_code == 200

    assert (await get(app)).status_code == 429
    assert (await get(app, address="192.0.2.2")).status_code == 200
    assert (await get(app, token="ann")).status_code == 200


async def test_failed_authentication_counts_against_the_address(app: ASGIApp) -> None:
    for _ in range(ANONYMOUS_READS):
        assert (await get(app, token="forged")).status_code == 200

    assert (await get(app, token="forged")).status_code == 429
    assert (await get(app)).status_code == 429


async def test_uploads_have_a_policy_of_their_own(app: ASGIApp, behind: Counter) -> None:
    answers = [await upload(app) for _ in range(FREE.uploads_per_minute + 1)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"uploads";q=2;w=60'
    assert behind.reached == 2
    assert (await get(app, token="ann")).headers["ratelimit"] == '"reads";r=3;t=60'


async def test_other_posts_count_as_reads(app: ASGIApp) -> None:
    async with client_of(app, token="ann") as client:
        answer = await client.post("/emoji/uem_1/restore")

    assert answer.headers["ratelimit-policy"] == '"reads";q=4;w=60'


@pytest.mark.parametrize(
    "path", ["/media/ab/64.webp", "/health/live", "/metrics", "/docs", "/openapi.json"]
)
async def test_paths_without_identity_have_no_limit(app: ASGIApp, path: str) -> None:
    answers = [await get(app, path) for _ in range(ANONYMOUS_READS + 1)]

    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


async def test_a_refused_upload_is_read_to_its_end(app: ASGIApp) -> None:
    for _ in range(FREE.uploads_per_minute):
        await upload(app)
    pieces = [b"a" * 1000, b"b" * 1000, b"c" * 1000]
    left = list(pieces)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    assert await _status_of(app, receive, headers=[]) == 429
    assert left == []


async def test_a_client_that_asks_first_is_not_invited_to_send(app: ASGIApp) -> None:
    for _ in range(FREE.uploads_per_minute):
        await upload(app)

    async def receive() -> Message:
        pytest.fail("the body was asked for")

    assert await _status_of(app, receive, headers=[(b"expect", b"100-continue")]) == 429


async def test_a_client_that_leaves_while_it_is_refused_ends_the_reading(app: ASGIApp) -> None:
    for _ in range(FREE.uploads_per_minute):
        await upload(app)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    assert await _status_of(app, receive, headers=[]) == 429


async def test_without_redis_reads_go_on_by_a_share_and_uploads_wait(
    app: ASGIApp, valkey: ValkeyServer, limiter: Limiter
) -> None:
    await valkey.stop()

    reads = [(await get(app, token="ann")).status_code for _ in range(3)]
    refused = await upload(app, "bob")

    assert reads == [200, 200, 429]
    assert refused.status_code == 503
    assert refused.json()["code"] == "unavailable"
    assert refused.headers["retry-after"] == "1"

    await valkey.start()
    await eventually(lambda: limiter.available, within=5)
    assert (await upload(app, "bob")).status_code == 200
    assert (await get(app, token="ann")).headers["ratelimit"] == '"reads";r=3;t=60'


async def test_when_nobody_is_known_the_route_says_so(app: ASGIApp, visitors: Visitors) -> None:
    visitors.answering = False

    answer = await get(app)

    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers


async def test_what_is_not_http_passes(limiter: Limiter) -> None:
    passed = []

    async def inner(scope: Scope, _receive: Receive, _send: Send) -> None:
        passed.append(scope["type"])

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(_message: Message) -> None:
        pytest.fail("nothing is answered")

    layer = RateLimits(inner, limiter, Visitors(), ClientAddresses())
    await layer({"type": "lifespan"}, receive, send)

    assert passed == ["lifespan"]


async def _status_of(app: ASGIApp, receive: Receive, *, headers: list[tuple[bytes, bytes]]) -> int:
    """The status of an upload whose body comes from `receive`."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/emoji",
        "query_string": b"",
        "client": ("192.0.2.1", 1),
        "headers": [(b"authorization", b"Bearer ann"), *headers],
    }
    await app(scope, receive, send)
    return int(sent[0]["status"])
