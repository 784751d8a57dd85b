from __future__ import annotations

import asyncio
import random

import pytest

from tests.gallery.packs import Pack, pack_of
from tests.gallery.stage import CURATOR, Gallery, uuid_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


def tiered() -> Pack:
    """Six emojis, two on each tier, in two categories."""
    pack = pack_of("f1", "p1", "b1", "f2", "p2", "b2")
    for key, tier in (("p", "premium"), ("b", "business")):
        pack.change(f"{key}1", tier=tier)
        pack.change(f"{key}2", tier=tier)
    for key in ("f2", "p2", "b2"):
        pack.change(key, category="others", subcategory="rest")
    return pack


async def test_an_item_says_all_that_the_contract_names(gallery: Gallery) -> None:
    pack = pack_of("one", "two")
    pack.change("one", character="1️⃣", subcategory="digits", tags="first|unit", author="A. Maker")
    await gallery.bring(pack)
    page = await gallery.page()
    assert [item["name"] for item in page["items"]] == ["one", "two"]
    item = page["items"][0]
    assert item["id"].startswith("emj_")
    assert item["renditions"].keys() == {"64.webp", "128.webp", "512.webp"}
    assert item["renditions"]["128.webp"] == {
        "url": f"/media/{item['version']}/128.webp",
        "type": "image/webp",
        "width": 128,
        "height": 128,
    }
    del item["id"], item["version"], item["renditions"]
    assert item == {
        "base_id": None,
        "name": "one",
        "character": "1️⃣",
        "category": "things",
        "subcategory": "digits",
        "tags": ["first", "unit"],
        "pack": "team",
        "tier": "free",
        "position": 1000,
        "locked": False,
        "animated": False,
        "width": 1024,
        "height": 1024,
        "duration_ms": None,
        "attribution": "The team, CC0",
    }
    assert page["total"] == 2
    assert page["next_cursor"] is None


@pytest.mark.parametrize(
    ("tier", "seen"),
    [
        (None, ["f1", "f2"]),
        ("free", ["f1", "f2"]),
        ("premium", ["f1", "p1", "f2", "p2"]),
        ("business", ["f1", "p1", "b1", "f2", "p2", "b2"]),
    ],
)
async def test_each_tier_sees_its_own_and_those_below(
    gallery: Gallery, tier: str | None, seen: list[str]
) -> None:
    await gallery.bring(tiered())
    page = await gallery.page(by=tier)
    assert [item["name"] for item in page["items"]] == seen
    assert page["total"] == len(seen)


async def test_locked_items_come_with_a_signed_preview_alone(gallery: Gallery) -> None:
    await gallery.bring(tiered())
    page = await gallery.page(by="premium", include_locked=True)
    assert page["total"] == 6
    shown = {item["name"]: item for item in page["items"]}
    assert [name for name, item in shown.items() if item["locked"]] == ["b1", "b2"]
    assert shown["b1"]["renditions"].keys() == {"64.webp"}
    assert "signature=" in shown["b1"]["renditions"]["64.webp"]["url"]
    assert "signature=" in shown["p1"]["renditions"]["512.webp"]["url"]
    assert "signature=" not in shown["f1"]["renditions"]["512.webp"]["url"]


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ({"category": "others"}, ["f2", "p2", "b2"]),
        ({"category": "nowhere"}, []),
        ({"subcategory": "rest"}, ["f2", "p2", "b2"]),
        ({"category": "things", "subcategory": "rest"}, []),
        ({"tier": "premium"}, ["p1", "p2"]),
        ({"tier": "gold"}, []),
        ({"tier": "business", "category": "others"}, ["b2"]),
        ({"pack": "team"}, ["f1", "p1", "b1", "f2", "p2", "b2"]),
        ({"pack": "team", "category": "others", "tier": "free"}, ["f2"]),
        ({"pack": "unknown"}, []),
        ({"animated": True}, []),
        ({"animated": False, "tier": "free"}, ["f1", "f2"]),
        ({"sort": "newest"}, ["b2", "p2", "f2", "b1", "p1", "f1"]),
        ({"sort": "newest", "category": "things"}, ["b1", "p1", "f1"]),
        ({"include_variants": True, "pack": "team", "tier": "free"}, ["f1", "f2"]),
    ],
)
async def test_filters_narrow_the_list_and_its_total(
    gallery: Gallery, query: dict[str, object], seen: list[str]
) -> None:
    await gallery.bring(tiered())
    page = await gallery.page(by="business", **query)
    assert [item["name"] for item in page["items"]] == seen
    assert page["total"] == len(seen)


@pytest.mark.parametrize("query", [{}, {"category": "things"}, {"pack": "team"}, {"animated": 0}])
@pytest.mark.parametrize("sort", ["position", "newest"])
async def test_pages_join_to_the_whole_list(
    gallery: Gallery, query: dict[str, object], sort: str
) -> None:
    pack = pack_of(*(f"e{number}" for number in range(11)))
    for number in range(0, 11, 3):
        pack.change(f"e{number}", tier="premium")
    await gallery.bring(pack)
    whole = await gallery.names(by="premium", sort=sort, **query)
    walked = await gallery.walk(by="premium", sort=sort, limit=3, **query)
    assert [item["name"] for item in walked] == whole
    assert len(whole) == 11


async def test_a_page_names_the_next_one_in_a_link(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a", "b", "c"))
    response = await gallery.ask("/gallery", query={"limit": 2, "category": "things"})
    cursor = response.json()["next_cursor"]
    assert response.headers["link"] == (
        f'</gallery?limit=2&category=things&cursor={cursor}>; rel="next"'
    )
    last = await gallery.ask("/gallery", query={"limit": 2, "category": "things", "cursor": cursor})
    assert [item["name"] for item in last.json()["items"]] == ["c"]
    assert "link" not in last.headers


async def test_variants_are_listed_by_their_base_or_on_demand(gallery: Gallery) -> None:
    pack = pack_of("wave", "smile")
    pack.add("wave-dark", base="wave").add("wave-light", base="wave", tier="premium")
    await gallery.bring(pack)
    assert await gallery.names() == ["wave", "smile"]
    assert await gallery.names(include_variants=True) == ["wave", "smile", "wave dark"]
    base = await gallery.item("wave")
    variants = await gallery.page(base=base["id"])
    assert [item["name"] for item in variants["items"]] == ["wave dark"]
    assert variants["total"] == 1
    assert variants["items"][0]["base_id"] == base["id"]
    walked = await gallery.walk(base=base["id"], by="premium", limit=1)
    assert [item["name"] for item in walked] == ["wave dark", "wave light"]


async def test_ids_choose_items_variants_among_them(gallery: Gallery) -> None:
    pack = tiered().add("f1-dark", base="f1")
    await gallery.bring(pack)
    items = {item["name"]: item["id"] for item in await gallery.walk(include_variants=True)}
    chosen = f"{items['f1 dark']},{items['f2']}"
    page = await gallery.page(ids=chosen)
    assert [item["name"] for item in page["items"]] == ["f2", "f1 dark"]
    assert page["total"] == 2
    assert await gallery.names(ids=chosen, limit=1) == ["f2"]
    assert await gallery.names(ids="") == []


async def test_ids_above_the_tier_are_left_out(gallery: Gallery) -> None:
    await gallery.bring(tiered())
    business = await gallery.item("b1")
    assert await gallery.names(ids=business["id"]) == []
    (locked,) = (await gallery.page(ids=business["id"], include_locked=True))["items"]
    assert locked["locked"] is True


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"limit": 0}, 422, "validation_error"),
        ({"limit": 201}, 422, "validation_error"),
        ({"limit": "many"}, 422, "validation_error"),
        ({"colour": "red"}, 422, "validation_error"),
        ({"sort": "popular"}, 422, "validation_error"),
        ({"animated": "perhaps"}, 422, "validation_error"),
        ({"base": "uem_01m84f9s25ejr8arrbj9pxa3ms"}, 422, "validation_error"),
        ({"ids": "emj_nonsense"}, 422, "validation_error"),
        ({"ids": ",".join(f"emj_{number:026}" for number in range(201))}, 422, "validation_error"),
        ({"locale": "xx"}, 422, "validation_error"),
        ({"q": "x" * 201}, 422, "validation_error"),
        ({"q": "cat", "sort": "newest"}, 422, "validation_error"),
        ({"category": "c" * 65}, 422, "validation_error"),
        ({"cursor": "AAAA"}, 400, "invalid_cursor"),
        ({"cursor": "ü"}, 400, "invalid_cursor"),
        ({"cursor": ""}, 400, "invalid_cursor"),
        ({"active": True}, 401, "unauthenticated"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    gallery: Gallery, query: dict[str, object], status: int, code: str
) -> None:
    response = await gallery.ask("/gallery", query=query)
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_a_cursor_goes_with_its_own_filters_only(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a", "b", "c"))
    cursor = (await gallery.page(limit=1))["next_cursor"]
    assert await gallery.names(limit=2, cursor=cursor) == ["b", "c"]
    for other in ({"category": "things"}, {"sort": "newest"}, {"locale": "de"}, {"q": "a"}):
        refused = await gallery.ask("/gallery", query={"cursor": cursor, **other})
        assert refused.json()["code"] == "invalid_cursor"


async def test_a_cursor_of_the_same_meaning_in_other_words_is_taken(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a", "b"))
    page = await gallery.page(limit=1, locale="de-AT", include_variants=0, q=" ")
    assert await gallery.names(locale="de", cursor=page["next_cursor"]) == ["b"]


async def test_a_cursor_that_was_tampered_with_is_refused(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a", "b"))
    cursor = (await gallery.page(limit=1))["next_cursor"]
    for at in range(0, len(cursor) - 1, 7):
        other = "A" if cursor[at] != "A" else "B"
        changed = cursor[:at] + other + cursor[at + 1 :]
        refused = await gallery.ask("/gallery", query={"cursor": changed})
        assert refused.json()["code"] == "invalid_cursor"


async def test_only_curators_list_by_activity(gallery: Gallery) -> None:
    await gallery.bring(pack_of("on", "off"))
    await gallery.curate("off", is_active=False)
    refused = await gallery.ask("/gallery", by="business", query={"active": False})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    query = {"active": "false"}
    told = await gallery.ask("/gallery", by="free", scopes=CURATOR, query=query)
    assert [(one["name"], one["is_active"]) for one in told.json()["items"]] == [("off", False)]
    assert told.json()["total"] == 1
    assert await gallery.names() == ["on"]


async def test_rows_that_stay_are_seen_once_while_others_come_and_go(gallery: Gallery) -> None:
    pack = pack_of(*(f"e{number:02}" for number in range(40)))
    await gallery.bring(pack)
    chance = random.Random(20)
    staying = [f"e{number:02}" for number in range(0, 40, 2)]
    moving = [f"e{number:02}" for number in range(1, 40, 2)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await (gallery.page(limit=4, cursor=cursor) if cursor else gallery.page(limit=4))
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        await gallery.curate(chance.choice(moving), position=chance.randrange(45_000))
        gone = moving.pop(chance.randrange(len(moving)))
        await gallery.curate(gone, is_active=False)
        pack.add(f"new{len(seen)}")
        await gallery.bring(pack)
    assert [name for name in seen if name in staying] == staying


async def test_totals_stay_exact_under_concurrent_changes(gallery: Gallery) -> None:
    keys = [f"e{number}" for number in range(12)]
    await gallery.bring(pack_of(*keys))
    ids = [uuid_of(item) for item in await gallery.walk()]

    async def change(row_id: object, number: int) -> None:
        await gallery.rows(
            "UPDATE gallery.emojis SET tier = :tier, tier_rank = :rank, is_active = :active "
            "WHERE id = :id",
            id=row_id,
            tier="premium" if number % 2 else "free",
            rank=20 if number % 2 else 10,
            active=number % 3 != 0,
        )

    await asyncio.gather(*(change(row_id, number) for number, row_id in enumerate(ids)))
    await gallery.rows("DELETE FROM gallery.search_texts WHERE emoji_id = :id", id=ids[0])
    await gallery.rows("DELETE FROM gallery.emoji_versions WHERE emoji_id = :id", id=ids[0])
    await gallery.rows("DELETE FROM gallery.emojis WHERE id = :id", id=ids[0])
    counted = await gallery.rows(
        "SELECT tier, is_active, count(*) FROM gallery.emojis GROUP BY 1, 2 ORDER BY 1, 2"
    )
    kept = await gallery.rows(
        "SELECT tier, is_active, sum(items) FROM gallery.shelves WHERE items <> 0 "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert [tuple(row) for row in kept] == [tuple(row) for row in counted]
    assert (await gallery.page(by="premium"))["total"] == sum(
        row[2] for row in counted if row[1] is True
    )
