from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from emoji_gallery.gallery.service.importing import ImportReport
from emoji_gallery.gallery.service.pack_files import open_pack
from emoji_gallery.gallery.service.pack_writing import PackExistsError
from emoji_gallery.kit.errors import NotFoundError, UnavailableError
from tests.gallery.packs import Pack, pack_of
from tests.gallery.stage import Gallery, Item

pytestmark = pytest.mark.asyncio(loop_scope="session")

MANIFEST = """
[pack]
name = "team"
label = 'The "team"'
licence = "CC0"
attribution = "Größe \\\\ 1"

[[categories]]
name = "zoo"
label = "The zoo"
labels = { de = "Der Zoo", ja = "動物園" }
"""


def varied() -> Pack:
    """A pack that has one of everything that its form can say."""
    pack = pack_of("one", "two", "three", "four")
    pack.manifest = MANIFEST
    pack.change("one", character="1️⃣", tags="first|unit", author="A. Maker", name_de="Einser")
    pack.change("two", category="zoo", subcategory="small", tier="premium", name='a, "b"')
    pack.change("three", tier="business", character="🐈", active="no")
    pack.add("group/one-dark", base="one")
    return pack


async def export(gallery: Gallery, path: Path) -> int:
    return await gallery.exporter.run("team", path, progress=lambda _done, _total: None)


async def import_from(gallery: Gallery, path: Path) -> ImportReport:
    with open_pack(path) as files:
        return await gallery.importer.run(files)


async def shown(gallery: Gallery) -> list[Item]:
    items = await gallery.walk(by="business", include_variants=True, locale="de")
    bases = {item["id"]: item["name"] for item in items}
    return [
        {**item, "id": None, "base_id": bases.get(item["base_id"], item["base_id"])}
        for item in items
    ]


@pytest.mark.parametrize("name", ["out", "out.zip"])
async def test_importing_what_was_exported_changes_nothing(gallery: Gallery, name: str) -> None:
    await gallery.bring(varied())
    await gallery.curate("four", name="quattro", tags=["x"], tier="premium", position=500)
    assert await export(gallery, gallery.tmp / name) == 5
    report = await import_from(gallery, gallery.tmp / name)
    assert report.faults == ()
    assert (report.unchanged, report.added, report.changed, report.vanished) == (5, 0, 0, 0)


async def test_an_empty_gallery_becomes_what_was_exported(gallery: Gallery) -> None:
    await gallery.bring(varied())
    await gallery.curate("four", name="quattro", tags=["x"], tier="premium", position=500)
    before = await shown(gallery)
    overview = (await gallery.ask("/gallery/categories", query={"locale": "ja"})).json()
    await export(gallery, gallery.tmp / "out.zip")
    async with gallery.db.transaction() as tx:
        await tx.execute(text("TRUNCATE gallery.packs, gallery.shelves CASCADE"))
    await import_from(gallery, gallery.tmp / "out.zip")
    after = await shown(gallery)
    assert [{**item, "position": 0} for item in after] == [
        {**item, "position": 0} for item in before
    ]
    assert await gallery.inactive() == ["three"]
    assert (await gallery.ask("/gallery/categories", query={"locale": "ja"})).json() == overview


async def test_nothing_is_written_over_what_is_there(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a"))
    taken = gallery.tmp / "taken"
    taken.mkdir()
    await export(gallery, taken)
    for path in (taken, gallery.tmp / "team" / "a.svg", gallery.tmp / "full.zip"):
        if not path.exists():
            path.write_bytes(b"")
        with pytest.raises(PackExistsError):
            await export(gallery, path)


async def test_an_unknown_pack_is_not_exported(gallery: Gallery) -> None:
    with pytest.raises(NotFoundError):
        await export(gallery, gallery.tmp / "out")
    assert not (gallery.tmp / "out").exists()


async def test_art_that_the_storage_has_lost_ends_the_export(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a"))
    item = await gallery.item("a")
    async for page in gallery.objects.pages("sources"):
        await gallery.objects.delete([info.key for info in page if item["version"] in info.key])
    with pytest.raises(UnavailableError):
        await export(gallery, gallery.tmp / "out")
