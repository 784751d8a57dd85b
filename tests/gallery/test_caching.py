from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from emoji_gallery.edge.page_cache import PageStore
from emoji_gallery.gallery.endpoints.kept import kept_pages
from emoji_gallery.kit.memory_cache import MemoryCache
from emoji_gallery.kit.redis_gate import RedisGate, RedisSettings, open_gate
from emoji_gallery.kit.two_level_cache import TwoLevelCache
from tests.gallery.packs import pack_of
from tests.gallery.stage import CURATOR, Gallery
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

_MIB = 1024 * 1024


@pytest_asyncio.fixture(loop_scope="session")
async def gate(redis_url: str) -> AsyncIterator[RedisGate]:
    gate = open_gate(RedisSettings(redis_url=redis_url, redis_timeout_ms=2000))
    yield gate
    await gate.close()


def store(gate: RedisGate) -> PageStore:
    shared = TwoLevelCache(MemoryCache(max_bytes=_MIB), gate)
    return PageStore(memory=MemoryCache(max_bytes=8 * _MIB), shared=shared)


@pytest_asyncio.fixture(loop_scope="session")
async def kept(gallery: Gallery, gate: RedisGate) -> Gallery:
    """A process that keeps pages, with three emojis; it knows tiers and catalogue already."""
    await gallery.bring(pack_of("a", "b").add("c", tier="premium"))
    process = gallery.sibling(store(gate))
    await process.watch.look()
    await process.identities.tiers()
    return process


@pytest.mark.parametrize(
    "path",
    [
        "/gallery",
        "/gallery?category=things&limit=1&include_locked=true",
        "/gallery?q=a&locale=de",
        "/gallery?sort=newest",
        "/gallery/categories",
        "/gallery/packs",
    ],
)
async def test_a_miss_is_one_query_and_a_hit_is_none(kept: Gallery, path: str) -> None:
    with kept.queries() as miss:
        first = await kept.ask(path)
    with kept.queries() as hit:
        second = await kept.ask(path)
    assert (len(miss), len(hit)) == (1, 0)
    assert first.status_code == 200
    assert second.content == first.content


async def test_one_emoji_is_one_query_too(kept: Gallery) -> None:
    item = await kept.item("a")
    with kept.queries() as miss:
        await kept.ask(f"/gallery/{item['id']}")
    with kept.queries() as hit:
        await kept.ask(f"/gallery/{item['id']}")
    assert (len(miss), len(hit)) == (1, 0)


async def test_queries_that_mean_the_same_are_one_page(kept: Gallery) -> None:
    await kept.ask("/gallery?limit=50&include_variants=false&sort=position&category=things")
    with kept.queries() as hit:
        await kept.ask("/gallery?category=things&locale=en-GB&q=%20")
        await kept.ask("/gallery/?category=things")
    assert hit == []


async def test_each_tier_has_pages_of_its_own(kept: Gallery) -> None:
    assert await kept.names(by="free") == ["a", "b"]
    assert await kept.names(by="premium") == ["a", "b", "c"]
    assert await kept.names() == ["a", "b"]


async def test_another_process_finds_pages_in_redis(kept: Gallery, gate: RedisGate) -> None:
    first = await kept.ask("/gallery")
    other = kept.sibling(store(gate))
    await other.watch.look()
    await other.identities.tiers()
    with other.queries() as sent:
        second = await other.ask("/gallery")
    assert sent == []
    assert second.content == first.content
    assert second.headers["etag"] == first.headers["etag"]


async def test_those_who_wait_for_the_same_page_share_one_query(kept: Gallery) -> None:
    with kept.queries() as sent:
        answers = await asyncio.gather(*(kept.ask("/gallery?limit=2") for _ in range(20)))
    assert len(sent) == 1
    assert len({answer.content for answer in answers}) == 1


async def test_what_a_process_changes_itself_it_shows_at_once(kept: Gallery) -> None:
    assert await kept.names() == ["a", "b"]
    await kept.curate("a", name="alpha")
    assert await kept.names() == ["alpha", "b"]


async def test_what_another_process_changes_is_shown_within_a_second(
    kept: Gallery, gate: RedisGate
) -> None:
    async with kept.watch.watching():
        assert await kept.names() == ["a", "b"]
        await kept.sibling(store(gate)).curate("a", name="alpha")

        async def is_shown() -> bool:
            return await kept.names() == ["alpha", "b"]

        await eventually(is_shown, within=1)


async def test_anonymous_answers_may_be_kept_outside(kept: Gallery) -> None:
    item = await kept.item("a")
    for path, keys in (
        ("/gallery", "gallery"),
        ("/gallery/categories", "gallery gallery-categories"),
        ("/gallery/packs", "gallery gallery-packs"),
        (f"/gallery/{item['id']}", f"gallery {item['id']}"),
    ):
        response = await kept.ask(path)
        assert response.headers["cache-control"] == (
            "public, max-age=30, s-maxage=1, stale-while-revalidate=1, stale-if-error=3600"
        )
        assert response.headers["vary"] == "Authorization, Accept-Encoding"
        assert response.headers["surrogate-key"] == keys
        known = await kept.ask(path, headers={"If-None-Match": response.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")


async def test_answers_to_a_token_are_private(kept: Gallery) -> None:
    response = await kept.ask("/gallery", by="premium")
    assert response.headers["cache-control"] == "private, no-cache"
    etag = response.headers["etag"]
    known = await kept.ask("/gallery", by="premium", headers={"If-None-Match": etag})
    assert known.status_code == 304


async def test_curators_and_refusals_are_not_kept(kept: Gallery) -> None:
    for _ in range(2):
        with kept.queries() as sent:
            await kept.ask("/gallery", by="free", scopes=CURATOR)
        assert "SELECT" in "".join(sent)
        assert (await kept.ask("/gallery?limit=0")).status_code == 422
        missing = await kept.ask("/gallery/emj_01m84f9s25ejr8arrbj9pxa3ms")
        assert missing.status_code == 404
        assert missing.headers["cache-control"] == "no-store"


async def test_a_head_is_a_get_without_its_body(kept: Gallery) -> None:
    got = await kept.ask("/gallery")
    head = await kept.ask("/gallery", method="HEAD")
    assert head.content == b""
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.headers["etag"] == got.headers["etag"]


async def test_a_page_has_no_name_where_its_query_is_odd(kept: Gallery) -> None:
    actor = await kept.identities.authenticate(None, None)
    (pages, *_) = kept_pages(kept.watch, kept.assets)
    for query in (
        b"limit=5&limit=6",
        b"colour=red",
        b"limit=",
        b"limit=x",
        b"limit=\xff",
        b"limit=%FF",
        b"locale=xx",
        b"sort=popular",
        b"animated=perhaps",
        b"include_locked=perhaps",
        b"category=",
        b"q=%00",
        b"active=true",
        b"q=" + b"x" * 3000,
    ):
        assert pages.variant("/gallery", query, actor) is None, query
    assert pages.variant("/gallery", b"animated=1", actor) == pages.variant(
        "/gallery", b"animated=true", actor
    )
    assert pages.variant("/gallery", b"animated=0", actor) != pages.variant("/gallery", b"", actor)
    assert pages.variant("/gallery", b"tier=a%26q%3D1:b", actor) != pages.variant(
        "/gallery", b"tier=a&q=b", actor
    )


async def test_an_older_version_is_no_news(kept: Gallery) -> None:
    version = kept.watch.version
    kept.watch.saw(version - 1)
    assert kept.watch.version == version
