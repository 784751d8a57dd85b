from __future__ import annotations

import pytest

from tests.gallery.packs import Pack, pack_of
from tests.gallery.stage import Gallery

pytestmark = pytest.mark.asyncio(loop_scope="session")

MANIFEST = """
[pack]
name = "team"
label = "The team's"
licence = "CC0"
attribution = "The team, CC0"

[[categories]]
name = "zoo"
label = "The zoo"
labels = { de = "Der Zoo" }

[[categories]]
name = "attic"
label = "The attic"
"""


def zoo() -> Pack:
    pack = pack_of("cat", "dog", "box", "gem")
    pack.manifest = MANIFEST
    pack.change("cat", category="zoo", subcategory="small")
    pack.change("dog", category="zoo", subcategory="large", tier="premium")
    pack.change("box", category="attic")
    pack.change("gem", category="vault", tier="business")
    pack.add("cat-dark", base="cat", category="zoo", subcategory="small")
    return pack


async def test_categories_come_in_the_packs_order_with_the_callers_counts(
    gallery: Gallery,
) -> None:
    await gallery.bring(zoo())
    free = (await gallery.ask("/gallery/categories")).json()
    assert free == {
        "items": [
            {
                "name": "zoo",
                "label": "The zoo",
                "count": 1,
                "subcategories": [{"name": "small", "count": 1}],
            },
            {"name": "attic", "label": "The attic", "count": 1, "subcategories": []},
        ],
        "total": 2,
        "next_cursor": None,
    }
    business = (await gallery.ask("/gallery/categories", by="business")).json()
    assert [(item["name"], item["count"]) for item in business["items"]] == [
        ("zoo", 2),
        ("attic", 1),
        ("vault", 1),
    ]
    assert business["items"][2]["label"] == "Vault"
    assert [item["name"] for item in business["items"][0]["subcategories"]] == ["large", "small"]


async def test_counts_are_the_totals_of_the_lists(gallery: Gallery) -> None:
    await gallery.bring(zoo())
    for tier in ("free", "premium", "business"):
        overview = (await gallery.ask("/gallery/categories", by=tier)).json()
        for item in overview["items"]:
            page = await gallery.page(by=tier, category=item["name"])
            assert page["total"] == item["count"]
        (pack,) = (await gallery.ask("/gallery/packs", by=tier)).json()["items"]
        assert pack["count"] == (await gallery.page(by=tier))["total"]


async def test_labels_come_in_the_language_asked_for(gallery: Gallery) -> None:
    await gallery.bring(zoo())
    german = (await gallery.ask("/gallery/categories", query={"locale": "de-CH"})).json()
    assert [item["label"] for item in german["items"]] == ["Der Zoo", "The attic"]
    assert (await gallery.ask("/gallery/packs", query={"locale": "de"})).status_code == 200
    for path in ("categories", "packs"):
        assert (await gallery.ask(f"/gallery/{path}", query={"locale": "tlh"})).status_code == 422


async def test_packs_say_who_made_them(gallery: Gallery) -> None:
    await gallery.bring(zoo())
    assert (await gallery.ask("/gallery/packs", by="premium")).json() == {
        "items": [
            {
                "name": "team",
                "label": "The team's",
                "count": 3,
                "licence": "CC0",
                "attribution": "The team, CC0",
            }
        ],
        "total": 1,
        "next_cursor": None,
    }


async def test_a_pack_that_shows_the_caller_nothing_is_left_out(gallery: Gallery) -> None:
    await gallery.bring(pack_of("gold", tier="business", name="rich"))
    assert (await gallery.ask("/gallery/packs", by="free")).json()["items"] == []
    assert (await gallery.ask("/gallery/categories", by="free")).json()["total"] == 0


@pytest.mark.parametrize("path", ["/gallery/categories", "/gallery/packs"])
async def test_overviews_come_in_pages_too(gallery: Gallery, path: str) -> None:
    for name in ("beta", "alpha", "gamma"):
        await gallery.bring(pack_of(f"{name}-one", name=name, category=f"of-{name}"))
    names: list[str] = []
    response = await gallery.ask(path, query={"limit": 2})
    assert response.headers["link"].startswith(f"<{path}?limit=2&cursor=")
    names += [item["name"] for item in response.json()["items"]]
    cursor = response.json()["next_cursor"]
    last = await gallery.ask(path, query={"limit": 2, "cursor": cursor})
    names += [item["name"] for item in last.json()["items"]]
    assert last.json()["next_cursor"] is None
    whole = (await gallery.ask(path)).json()
    assert names == [item["name"] for item in whole["items"]]
    assert len(names) == whole["total"] == 3


@pytest.mark.parametrize("path", ["/gallery", "/gallery/categories", "/gallery/packs"])
async def test_a_cursor_of_another_list_is_refused(gallery: Gallery, path: str) -> None:
    for name in ("one", "two"):
        await gallery.bring(pack_of(f"of-{name}", name=name, category=name))
    paths = {"/gallery", "/gallery/categories", "/gallery/packs"}
    for other in sorted(paths - {path}):
        cursor = (await gallery.ask(other, query={"limit": 1})).json()["next_cursor"]
        assert (await gallery.ask(path, query={"cursor": cursor})).status_code == 400


async def test_the_first_pack_decides_how_a_category_is_called(gallery: Gallery) -> None:
    await gallery.bring(zoo())
    other = pack_of("bear", name="other", category="zoo")
    other.manifest = MANIFEST.replace('"team"', '"other"').replace("The zoo", "Their zoo")
    await gallery.bring(other)
    renamed = zoo()
    renamed.manifest = MANIFEST.replace("The attic", "Under the roof")
    await gallery.bring(renamed)
    items = (await gallery.ask("/gallery/categories")).json()["items"]
    assert [(item["label"], item["count"]) for item in items] == [
        ("The zoo", 2),
        ("Under the roof", 1),
    ]
