"""The in-house pack, as `make run` brings it."""

from __future__ import annotations

import pytest

from emoji_gallery.gallery.service.pack_reading import openmoji_pack
from tests.gallery.stage import Gallery

pytestmark = pytest.mark.asyncio(loop_scope="session")

LANGUAGES = ("es", "ja", "ko", "pt", "it", "fr", "de", "fa", "id", "zh", "ru", "tr", "ar")

COUNTS = {
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


@pytest.mark.timeout(300)
async def test_the_whole_pack_is_there_and_stays_as_it_is(gallery: Gallery) -> None:
    """One test, because importing 4,495 pictures takes a while."""
    with openmoji_pack() as files:
        report = await gallery.importer.run(files)
    assert (report.added, report.faults) == (4495, ())

    for tier, total in ((None, 1923), ("free", 1923), ("premium", 2248), ("business", 2465)):
        assert (await gallery.page(by=tier))["total"] == total
    walked = await gallery.walk(by="business", limit=200)
    assert len({item["id"] for item in walked}) == 2465
    assert {item["base_id"] for item in walked} == {None}
    assert [item["character"] for item in walked[:3]] == ["😀", "😃", "😄"]
    assert [item["position"] for item in walked] == sorted(item["position"] for item in walked)
    assert walked[0]["attribution"] == "OpenMoji, CC BY-SA 4.0"
    with_variants = await gallery.page(by="business", include_variants=True)
    assert with_variants["total"] == 4495

    (wave,) = (await gallery.page(q="👋"))["items"]
    variants = await gallery.page(base=wave["id"])
    assert variants["total"] == 5
    assert {item["base_id"] for item in variants["items"]} == {wave["id"]}

    business = (await gallery.ask("/gallery/categories", by="business")).json()
    assert {item["name"]: item["count"] for item in business["items"]} == COUNTS
    free = (await gallery.ask("/gallery/categories")).json()
    assert not {"extras-openmoji", "extras-unicode"} & {item["name"] for item in free["items"]}

    await gallery.watch.look()
    before = gallery.watch.version
    with openmoji_pack() as files:
        again = await gallery.importer.run(files)
    assert (again.unchanged, again.added, again.changed) == (4495, 0, 0)
    await gallery.watch.look()
    assert gallery.watch.version == before


@pytest.mark.parametrize("locale", LANGUAGES)
async def test_every_language_has_names_and_labels_and_finds_by_them(
    sample: Gallery, locale: str
) -> None:
    english = (await sample.page(limit=1))["items"][0]
    named = (await sample.page(limit=1, locale=locale))["items"][0]
    assert named["id"] == english["id"]
    assert named["name"] != english["name"]
    found = await sample.page(q=named["name"], locale=locale, limit=5)
    assert english["id"] in [item["id"] for item in found["items"]]
    labels = (await sample.ask("/gallery/categories", query={"locale": locale})).json()["items"]
    plain = (await sample.ask("/gallery/categories")).json()["items"]
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
async def test_people_find_what_they_mean(sample: Gallery, typed: str, first: str) -> None:
    assert (await sample.names(q=typed, by="business"))[0] == first
