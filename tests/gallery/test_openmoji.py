"""The whole in-house pack, as `make run` brings it."""

from __future__ import annotations

import pytest

from emoji_gallery.gallery.service.pack_reading import openmoji_pack
from tests.gallery.stage import Gallery

# One process of several that run tests imports the pack, which takes a while.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("openmoji")]


@pytest.mark.parametrize(
    ("tier", "total"), [(None, 1923), ("free", 1923), ("premium", 2248), ("business", 2465)]
)
async def test_each_tier_has_more_than_the_one_below(
    openmoji: Gallery, tier: str | None, total: int
) -> None:
    page = await openmoji.page(by=tier)
    assert page["total"] == total
    assert [item["character"] for item in page["items"][:3]] == ["😀", "😃", "😄"]


async def test_every_page_together_is_the_whole_pack_in_the_indexs_order(
    openmoji: Gallery,
) -> None:
    walked = await openmoji.walk(by="business", limit=200)
    assert len({item["id"] for item in walked}) == 2465
    assert {item["base_id"] for item in walked} == {None}
    assert [item["position"] for item in walked] == sorted(item["position"] for item in walked)
    assert walked[0]["attribution"] == "OpenMoji, CC BY-SA 4.0"
    page = await openmoji.page(by="business", include_variants=True)
    assert page["total"] == 4495


async def test_skin_tones_stand_under_their_base(openmoji: Gallery) -> None:
    (wave,) = (await openmoji.page(q="👋"))["items"]
    variants = await openmoji.page(base=wave["id"])
    assert variants["total"] == 5
    assert {item["base_id"] for item in variants["items"]} == {wave["id"]}


async def test_categories_are_those_of_unicode_and_openmoji(openmoji: Gallery) -> None:
    business = (await openmoji.ask("/gallery/categories", by="business")).json()
    counts = {item["name"]: item["count"] for item in business["items"]}
    assert counts == {
        "smileys-emotion": 171,
        "people-body": 388,
        "component": 9,
        "animals-nature": 160,
        "food-drink": 131,
        "travel-places": 219,
        "activities": 85,
        "objects": 266,
        "symbols": 224,
        "flags": 270,
        "extras-openmoji": 405,
        "extras-unicode": 137,
    }
    free = (await openmoji.ask("/gallery/categories")).json()
    assert not {"extras-openmoji", "extras-unicode"} & {item["name"] for item in free["items"]}


@pytest.mark.parametrize(
    "locale", ["es", "ja", "ko", "pt", "it", "fr", "de", "fa", "id", "zh", "ru", "tr", "ar"]
)
async def test_every_language_has_names_and_labels_and_finds_by_them(
    openmoji: Gallery, locale: str
) -> None:
    english = (await openmoji.page(limit=1))["items"][0]
    named = (await openmoji.page(limit=1, locale=locale))["items"][0]
    assert named["id"] == english["id"]
    assert named["name"] != english["name"]
    found = await openmoji.page(q=named["name"], locale=locale, limit=5)
    assert english["id"] in [item["id"] for item in found["items"]]
    labels = (await openmoji.ask("/gallery/categories", query={"locale": locale})).json()["items"]
    plain = (await openmoji.ask("/gallery/categories")).json()["items"]
    assert all(one["label"] != other["label"] for one, other in zip(labels, plain, strict=True))


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("grinning face", "grinning face"),
        ("cat", "cat"),
        ("❤", "red heart"),
        ("Twiter", "Twitter"),
        ("elefant", "elephant"),
        ("grining", "grinning face"),
        ("red haert", "red heart"),
        ("flag germany", "flag: Germany"),
    ],
)
async def test_people_find_what_they_mean(openmoji: Gallery, typed: str, first: str) -> None:
    assert (await openmoji.names(q=typed, by="business"))[0] == first


async def test_importing_it_again_changes_nothing(openmoji: Gallery) -> None:
    await openmoji.watch.look()
    before = openmoji.watch.version
    with openmoji_pack() as files:
        report = await openmoji.importer.run(files)
    assert (report.unchanged, report.added, report.changed) == (4495, 0, 0)
    await openmoji.watch.look()
    assert openmoji.watch.version == before
