from __future__ import annotations

from typing import Any

import pytest

from emoji_gallery.gallery.schemas import CategoryPageBody, EmojiBody, EmojiPageBody, PackPageBody
from tests.gallery.packs import pack_of
from tests.gallery.stage import CURATOR, Gallery, Item

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVERY_STILL = {f"{size}.{kind}" for size in (64, 128, 256, 512, 1024) for kind in ("webp", "png")}


async def patch(gallery: Gallery, item: Item, body: object, **headers: str) -> Any:
    return await gallery.ask(
        f"/gallery/{item['id']}",
        method="PATCH",
        json=body,
        by="free",
        scopes=CURATOR,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


async def test_one_emoji_comes_with_all_its_renditions(gallery: Gallery) -> None:
    await gallery.bring(pack_of("sun"))
    listed = await gallery.item("sun")
    for path in (f"/gallery/{listed['id']}", f"/gallery/{listed['id']}/"):
        one = (await gallery.ask(path)).json()
        assert one["renditions"].keys() == EVERY_STILL | {"512.avif"}
        assert {**one, "renditions": None} == {**listed, "renditions": None}


@pytest.mark.parametrize(
    "path",
    ["/gallery/emj_01m84f9s25ejr8arrbj9pxa3ms", "/gallery/emj_x", "/gallery/uem_1", "/gallery/é"],
)
async def test_what_is_no_emoji_is_not_found(gallery: Gallery, path: str) -> None:
    response = await gallery.ask(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_an_emoji_above_the_tier_is_not_found_or_locked(gallery: Gallery) -> None:
    await gallery.bring(pack_of("crown", tier="business"))
    path = f"/gallery/{(await gallery.item('crown'))['id']}"
    assert (await gallery.ask(path)).status_code == 404
    assert (await gallery.ask(path, by="premium")).status_code == 404
    locked = (await gallery.ask(path, by="premium", query={"include_locked": "true"})).json()
    assert locked["locked"] is True
    assert locked["renditions"].keys() == {"64.webp"}
    open_one = (await gallery.ask(path, by="business", query={"include_locked": "true"})).json()
    assert open_one["locked"] is False


async def test_an_inactive_emoji_is_there_for_curators_only(gallery: Gallery) -> None:
    await gallery.bring(pack_of("moon"))
    item = await gallery.curate("moon", is_active=False)
    path = f"/gallery/{item['id']}"
    assert (await gallery.ask(path, by="business")).status_code == 404
    curated = await gallery.ask(path, by="free", scopes=CURATOR)
    assert curated.json()["is_active"] is False


async def test_a_curator_changes_every_field_and_gets_the_emoji(gallery: Gallery) -> None:
    await gallery.bring(pack_of("star", "moon"))
    change = {
        "name": "bright star",
        "tags": ["night", "shine"],
        "tier": "premium",
        "position": 7,
        "is_active": True,
    }
    body = await gallery.curate("star", **change)
    assert {key: body[key] for key in change} == change
    listed = await gallery.item("bright star")
    assert {key: listed[key] for key in change if key != "is_active"} == {
        key: value for key, value in change.items() if key != "is_active"
    }
    assert await gallery.names(by="premium") == ["bright star", "moon"]
    assert await gallery.names() == ["moon"]
    assert await gallery.names(q="shine", by="premium") == ["bright star"]
    assert "signature=" in listed["renditions"]["64.webp"]["url"]


async def test_a_moved_emoji_stands_where_it_was_put(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a", "b", "c"))
    await gallery.curate("c", position=1500)
    assert await gallery.names() == ["a", "c", "b"]


async def test_art_is_public_only_while_an_emoji_that_shows_it_is_free(gallery: Gallery) -> None:
    pack = pack_of("coin", "twin")
    pack.art["twin.svg"] = pack.art["coin.svg"]
    await gallery.bring(pack)

    async def public() -> bool:
        ((is_public,),) = await gallery.rows("SELECT is_public FROM assets.assets")
        return bool(is_public)

    assert await public()
    await gallery.curate("coin", tier="business")
    assert await public()
    await gallery.curate("twin", tier="premium")
    assert not await public()
    await gallery.curate("coin", tier="free")
    assert await public()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 101},
        {"name": "a\u202eb"},
        {"name": "a\x07b"},
        {"name": None},
        {"tags": ["ok", ""]},
        {"tags": ["a|b"]},
        {"tags": ["x" * 65]},
        {"tags": [f"t{number}" for number in range(51)]},
        {"tags": "one"},
        {"tier": "gold"},
        {"tier": ""},
        {"position": -1},
        {"position": 2**53},
        {"position": "7"},
        {"is_active": "yes"},
        {"category": "others"},
        [],
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(gallery: Gallery, body: object) -> None:
    await gallery.bring(pack_of("star"))
    item = await gallery.item("star")
    response = await patch(gallery, item, body)
    assert (response.status_code, response.json()["code"]) == (422, "validation_error")
    assert await gallery.item("star") == item


async def test_only_curators_change_anything(gallery: Gallery) -> None:
    await gallery.bring(pack_of("star"))
    path = f"/gallery/{(await gallery.item('star'))['id']}"
    anonymous = await gallery.ask(path, method="PATCH", json={"name": "x"})
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "unauthenticated")
    user = await gallery.ask(path, method="PATCH", json={"name": "x"}, by="business")
    assert (user.status_code, user.json()["code"]) == (403, "forbidden")
    nobody = {"id": "emj_01m84f9s25ejr8arrbj9pxa3ms"}
    assert (await patch(gallery, nobody, {"name": "x"})).status_code == 404


async def test_a_change_of_what_has_changed_since_is_refused(gallery: Gallery) -> None:
    await gallery.bring(pack_of("star"))
    item = await gallery.item("star")
    seen = await gallery.ask(f"/gallery/{item['id']}", by="free", scopes=CURATOR)
    first = await patch(gallery, item, {"name": "sun"}, if_match=seen.headers["etag"])
    assert first.status_code == 200
    late = await patch(gallery, item, {"name": "moon"}, if_match=seen.headers["etag"])
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    again = await patch(gallery, item, {"name": "moon"}, if_match=f'"x", {first.headers["etag"]}')
    assert again.status_code == 200
    assert (await patch(gallery, item, {"name": "sky"}, if_match="*")).status_code == 200


async def test_a_change_is_answered_privately_and_advances_the_catalogue(gallery: Gallery) -> None:
    await gallery.bring(pack_of("star"))
    item = await gallery.item("star")
    before = gallery.watch.version
    response = await patch(gallery, item, {"name": "sun"})
    assert response.headers["cache-control"] == "private, no-store"
    assert gallery.watch.version == before + 1
    assert (await patch(gallery, item, {"name": "sun"})).status_code == 200
    assert gallery.watch.version == before + 1


async def test_answers_are_what_the_description_says(gallery: Gallery) -> None:
    pack = pack_of("star", "gem", character="⭐", subcategory="sky", tags="x", author="A. Maker")
    pack.add("star-dark", base="star").change("gem", tier="business")
    await gallery.bring(pack)
    page = await gallery.ask("/gallery", query={"include_locked": 1, "include_variants": 1})
    EmojiPageBody.model_validate_json(page.content, strict=True)
    curated = await gallery.ask("/gallery", by="free", scopes=CURATOR, query={"active": 1})
    EmojiPageBody.model_validate_json(curated.content, strict=True)
    one = await gallery.ask(f"/gallery/{page.json()['items'][0]['id']}")
    EmojiBody.model_validate_json(one.content, strict=True)
    CategoryPageBody.model_validate_json((await gallery.ask("/gallery/categories")).content)
    PackPageBody.model_validate_json((await gallery.ask("/gallery/packs")).content)
