from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emoji_gallery.gallery.rules.entries import Fault
from emoji_gallery.gallery.service.importing import ImportReport
from emoji_gallery.gallery.service.pack_files import (
    PackFileError,
    PackFiles,
    PackUnreadableError,
    open_pack,
)
from emoji_gallery.kit.errors import UnavailableError
from emoji_gallery.kit.objects import StorageSettings, open_store
from emoji_gallery.media.pool import Bounds
from emoji_gallery.media.renderer import Renderer
from tests.gallery.packs import Pack, drawing, pack_of
from tests.gallery.stage import Gallery, Item

pytestmark = pytest.mark.asyncio(loop_scope="session")


HEAD = "[pack]\nname = 'a'\nlabel = 'A'\nlicence = 'x'\nattribution = 'y'\n"


def faults(report: ImportReport) -> dict[str, str]:
    return {fault.file: fault.reason for fault in report.faults}


async def import_folder(
    gallery: Gallery, folder: Path, told: list[tuple[int, int]] | None = None
) -> ImportReport:
    heard: list[tuple[int, int]] = [] if told is None else told
    with open_pack(folder) as files:
        return await gallery.importer.run(
            files, progress=lambda done, total: heard.append((done, total))
        )


async def by_name(gallery: Gallery) -> dict[str, Item]:
    return {item["name"]: item for item in await gallery.walk(by="business", include_variants=True)}


async def test_importing_the_same_again_writes_nothing(gallery: Gallery) -> None:
    pack = pack_of("a", "b", character="⭐", tags="x").add("a-dark", base="a")
    first = await gallery.bring(pack)
    assert (first.added, first.changed, first.unchanged) == (3, 0, 0)
    before = await by_name(gallery)
    version = gallery.watch.version
    second = await gallery.bring(pack)
    assert (second.added, second.changed, second.unchanged) == (0, 0, 3)
    assert await by_name(gallery) == before
    assert gallery.watch.version == version


async def test_what_the_pack_says_anew_is_taken(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a", "b"))
    pack = pack_of("a", "b")
    pack.change("a", name="alpha", tags="first", tier="premium", category="letters", character="🅰")
    report = await gallery.bring(pack)
    assert (report.changed, report.unchanged, report.new_art) == (1, 1, 0)
    item = await gallery.item("alpha")
    assert (item["tags"], item["tier"], item["category"]) == (["first"], "premium", "letters")
    assert await gallery.names(q="🅰️", by="premium") == ["alpha"]
    assert await gallery.names(q="a", by="premium") == ["alpha"]


async def test_changed_art_is_a_new_version_and_the_old_one_is_kept(gallery: Gallery) -> None:
    pack = pack_of("a", "b")
    await gallery.bring(pack)
    old = await gallery.item("a")
    report = await gallery.bring(pack.redraw("a"))
    assert (report.changed, report.new_art, report.unchanged) == (1, 1, 1)
    new = await gallery.item("a")
    assert new["id"] == old["id"]
    assert new["version"] != old["version"]
    kept = {row[0] for row in await gallery.rows("SELECT digest FROM gallery.asset_references")}
    assert {old["version"], new["version"]} <= kept


async def test_vanished_art_becomes_inactive_and_stays_so_until_a_reset(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a", "b"))
    report = await gallery.bring(pack_of("a"))
    assert report.vanished == 1
    assert await gallery.inactive() == ["b"]
    assert (await gallery.bring(pack_of("a"))).vanished == 0
    back = await gallery.bring(pack_of("a", "b"))
    assert (back.changed, back.kept_inactive) == (0, 1)
    assert await gallery.names() == ["a"]
    await gallery.bring(pack_of("a", "b"), reset=True)
    assert await gallery.names() == ["a", "b"]


async def test_a_listed_file_that_is_gone_has_vanished_and_is_reported(gallery: Gallery) -> None:
    pack = pack_of("a", "b")
    await gallery.bring(pack)
    del pack.art["b.svg"]
    report = await gallery.bring(pack)
    assert faults(report) == {"b.svg": "there is no such file in the pack"}
    assert report.vanished == 1


async def test_what_a_curator_changed_stays_and_a_reset_undoes_it(gallery: Gallery) -> None:
    pack = pack_of("a", "b", "c", "d", tags="t")
    await gallery.bring(pack)
    original = await by_name(gallery)
    await gallery.curate("a", name="alpha")
    await gallery.curate("alpha", tags=["mine"], tier="business", position=9_999)
    await gallery.curate("b", is_active=False)
    pack.change("a", tags="theirs", name="aleph", tier="premium", category="others")
    report = await gallery.bring(pack)
    assert report.kept_inactive == 1
    item = await gallery.item("alpha")
    assert (item["tags"], item["tier"], item["position"]) == (["mine"], "business", 9_999)
    assert item["category"] == "others"
    assert await gallery.inactive() == ["b"]

    await gallery.bring(pack_of("a", "b", "c", "d", tags="t"), reset=True)
    assert await by_name(gallery) == original


async def test_a_reset_that_changes_nothing_forgets_what_curators_decided(
    gallery: Gallery,
) -> None:
    pack = pack_of("a")
    await gallery.bring(pack)
    await gallery.curate("a", name="a")
    await gallery.bring(pack.change("a", name="alpha"))
    assert await gallery.names() == ["a"]
    await gallery.bring(pack, reset=True)
    assert await gallery.names() == ["alpha"]


async def test_every_faulty_entry_is_reported_and_the_rest_is_there(gallery: Gallery) -> None:
    pack = pack_of("good", "empty", "broken", "script", "huge", "gold", "nameless")
    pack.art["empty.svg"] = b""
    pack.art["broken.svg"] = b'<svg xmlns="http://www.w3.org/2000/svg"><g>'
    pack.art["script.svg"] = drawing("x").replace(b"<circle", b"<script>1</script><circle")
    pack.art["huge.svg"] = b"\x89PNG\r\n\x1a\n not a picture"
    pack.change("gold", tier="gold")
    pack.change("nameless", name="x" * 101)
    pack.add("lost", base="nowhere").add("deep", base="shallow").add("shallow", base="good")
    pack.add("heir", base="broken").add("text", file="text.txt").add("away", category="Not A Slug")
    pack.add("good")
    pack.rows[-1]["file"] = "other.svg"
    pack.art["other.svg"] = drawing("other")
    pack.art["stray.svg"] = drawing("stray")
    report = await gallery.bring(pack)
    assert faults(report) == {
        "empty.svg": "image_rejected: empty",
        "broken.svg": "image_rejected: damaged",
        "script.svg": "image_rejected: unsafe_svg",
        "huge.svg": "image_rejected: damaged",
        "gold.svg": "tier: there is no gold",
        "nameless.svg": "name: has to have 1 to 100 characters",
        "lost.svg": "base: nowhere is not an entry of the pack",
        "deep.svg": "base: shallow is a variant itself",
        "heir.svg": "base: broken could not be imported",
        "text.txt": "is none of .avif, .gif, .jpeg, .jpg, .png, .svg, .webp",
        "away.svg": "category: String should match pattern '^[a-z0-9]+(?:[-_][a-z0-9]+)*$'",
        "other.svg": "key: good is listed twice",
        "stray.svg": "is in the pack, but nothing lists it",
    }
    assert await gallery.names(include_variants=True) == ["good", "shallow"]


async def test_a_damaged_file_takes_nothing_out_of_the_gallery(gallery: Gallery) -> None:
    pack = pack_of("a", "b", "c").add("a-dark", base="a")
    await gallery.bring(pack)
    before = await by_name(gallery)
    pack.art["a.svg"] = b"<svg"
    pack.change("b", name="\u202e").change("c", tier="gold")
    report = await gallery.bring(pack)
    assert len(report.faults) == 3
    assert report.vanished == 0
    assert await by_name(gallery) == before


async def test_a_broken_row_or_a_refused_file_takes_nothing_out_either(gallery: Gallery) -> None:
    pack = pack_of("a", "b", "c")
    await gallery.bring(pack)
    folder = pack.write(gallery.tmp / "team")
    index = (folder / "index.csv").read_text()
    (folder / "index.csv").write_text(index.replace("b,b.svg,b,things", "b,b.svg"))
    (folder / "c.svg").unlink()
    (folder / "c.svg").symlink_to("a.svg")
    report = await import_folder(gallery, folder)
    assert faults(report) == {
        "row 2": "has 2 cells instead of 4",
        "c.svg": "is not a plain file",
        "b.svg": "is in the pack, but nothing lists it",
    }
    assert report.vanished == 0
    assert await gallery.names() == ["a", "b", "c"]


async def test_packs_stand_one_behind_the_other(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a1", "a2", name="first"))
    await gallery.bring(pack_of("b1", name="second"))
    await gallery.bring(pack_of("a1", "a2", "a3", name="first"))
    items = await gallery.walk()
    assert [(item["name"], item["position"]) for item in items] == [
        ("a1", 1000),
        ("a2", 2000),
        ("b1", 3000),
        ("a3", 4000),
    ]


async def test_an_entry_put_between_two_moves_neither(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a", "c"))
    await gallery.bring(pack_of("a", "b", "c"))
    items = await gallery.walk()
    assert [(item["name"], item["position"]) for item in items] == [
        ("a", 1000),
        ("b", 1500),
        ("c", 2000),
    ]
    await gallery.bring(pack_of("c", "a", "b"))
    assert await gallery.names() == ["c", "a", "b"]


async def test_two_imports_at_once_leave_each_emoji_once(gallery: Gallery) -> None:
    pack = pack_of("a", "b", "c")
    other = pack_of("d", "e", name="other", category="things")
    reports = await asyncio.gather(gallery.bring(pack), gallery.bring(other), gallery.bring(pack))
    assert sum(report.added for report in reports) == 5
    assert len(await gallery.walk()) == 5


async def test_a_variant_becomes_a_base_and_another_ones_variant(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a", "b").add("v", base="a"))
    await gallery.bring(pack_of("a", "b").add("v", base="b"))
    assert (await gallery.item("v", include_variants=True))["base_id"] == (await gallery.item("b"))[
        "id"
    ]
    await gallery.bring(pack_of("a", "b", "v"))
    assert await gallery.names() == ["a", "b", "v"]


async def test_emojis_of_one_picture_share_it(gallery: Gallery) -> None:
    pack = pack_of("a", "b")
    pack.art["b.svg"] = pack.art["a.svg"]
    assert (await gallery.bring(pack)).added == 2
    items = await gallery.walk()
    assert items[0]["version"] == items[1]["version"]


async def test_a_pack_without_an_index_is_what_its_folders_hold(gallery: Gallery) -> None:
    pack = Pack("bare")
    pack.art = {"Wild Cats/big_cat.svg": drawing("1"), "dot.svg": drawing("2")}
    folder = pack.write(gallery.tmp / "bare")
    (folder / "index.csv").unlink()
    with_files = await import_folder(gallery, folder)
    assert with_files.added == 2
    items = await by_name(gallery)
    assert {name: item["category"] for name, item in items.items()} == {
        "big cat": "wild-cats",
        "dot": "bare",
    }


async def test_a_pack_may_list_its_emojis_in_the_manifest(gallery: Gallery) -> None:
    pack = Pack("listed")
    pack.manifest = """
        [pack]
        name = "listed"
        label = "Listed"
        licence = "CC0"
        attribution = "Us"

        [tiers]
        default = "premium"
        [[tiers.rules]]
        tier = "business"
        tag = "gold"

        [[emojis]]
        file = "z.svg"
        name = "zed"
        tags = ["gold", "last"]
        order = 2

        [[emojis]]
        file = "a.svg"
        names = { de = "Ah" }
        order = 1
    """
    pack.art = {"z.svg": drawing("z"), "a.svg": drawing("a")}
    folder = pack.write(gallery.tmp / "listed")
    (folder / "index.csv").unlink()
    report = await import_folder(gallery, folder)
    assert faults(report) == {}
    items = await gallery.walk(by="business")
    assert [(item["name"], item["tier"]) for item in items] == [
        ("a", "premium"),
        ("zed", "business"),
    ]
    assert await gallery.names(by="premium", locale="de") == ["Ah"]


async def test_names_of_the_pack_go_before_those_of_unicode(gallery: Gallery) -> None:
    await gallery.bring(pack_of("cat", "dog", name_de="").change("cat", name_de="Mieze"))
    pack = pack_of("cat", "dog").change("cat", character="🐈", name_de="Mieze")
    await gallery.bring(pack.change("dog", character="🐕"))
    assert await gallery.names(locale="de") == ["Mieze", "hund"]
    assert await gallery.names(locale="fr") == ["chat", "chien"]
    assert await gallery.names(locale="de", q="mieze") == ["Mieze"]
    assert await gallery.names(locale="de", q="katze") == []


async def test_an_entry_may_be_there_without_being_shown(gallery: Gallery) -> None:
    pack = pack_of("a", "b").change("b", active="no")
    await gallery.bring(pack)
    assert await gallery.names() == ["a"]
    assert await gallery.inactive() == ["b"]
    await gallery.bring(pack_of("a", "b").change("a", active="no"))
    assert sorted(await gallery.inactive()) == ["a", "b"]


async def test_progress_is_told_up_to_the_end(gallery: Gallery) -> None:
    pack = pack_of("a", "b", "c")
    pack.art["b.svg"] = b"<svg"
    told: list[tuple[int, int]] = []
    folder = pack.write(gallery.tmp / "team")
    await import_folder(gallery, folder, told)
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    "manifest",
    [
        "this is no TOML",
        "[pack]\nname = 'No Slug'",
        f"{HEAD}colour = 'red'",
        f"{HEAD}[index]\nfile = 'no.csv'",
        f"{HEAD}[index]\n[[emojis]]\nfile = 'a.svg'",
    ],
)
async def test_a_pack_that_cannot_be_read_changes_nothing(gallery: Gallery, manifest: str) -> None:
    pack = pack_of("a")
    pack.manifest = manifest
    with pytest.raises(PackUnreadableError):
        await gallery.bring(pack)
    assert await gallery.rows("SELECT 1 FROM gallery.packs") == []


async def test_a_storage_that_takes_nothing_leaves_the_gallery_as_it_was(
    gallery: Gallery,
) -> None:
    root = gallery.tmp / "storage"
    objects = open_store(StorageSettings(storage_url=root.as_uri()), gallery.tmp)
    broken = Gallery(gallery.db, objects, gallery.renderer, gallery.tmp)
    shutil.rmtree(root)
    root.write_text("no folder")
    with pytest.raises(UnavailableError):
        await broken.bring(pack_of("a", "b"))
    assert await gallery.rows("SELECT 1 FROM gallery.packs") == []
    assert await gallery.rows("SELECT 1 FROM assets.guards WHERE holds > 0") == []


async def test_without_a_renderer_nothing_is_imported(gallery: Gallery) -> None:
    renderer = Renderer(Bounds(children=1, queue_seconds=0.01))
    stopped = Gallery(gallery.db, gallery.objects, renderer, gallery.tmp)
    with pytest.raises(UnavailableError):
        await stopped.bring(pack_of("a"))
    assert await gallery.rows("SELECT 1 FROM gallery.packs") == []


@dataclass
class Changing:
    """A folder in which somebody draws while it is read."""

    files: PackFiles
    faults: Sequence[Fault] = ()
    read_before: set[str] = field(default_factory=set)

    @property
    def names(self) -> frozenset[str]:
        return self.files.names

    def read(self, name: str) -> bytes:
        if name in self.read_before:
            if name == "gone.svg":
                raise PackFileError("cannot be read")
            return drawing("later")
        self.read_before.add(name)
        return self.files.read(name)


async def test_a_picture_that_changes_while_it_is_read_is_reported(gallery: Gallery) -> None:
    folder = pack_of("drawn", "gone").write(gallery.tmp / "team")
    with open_pack(folder) as files:
        report = await gallery.importer.run(Changing(files))
    assert faults(report) == {
        "drawn.svg": "changed while it was read",
        "gone.svg": "changed while it was read",
    }


async def test_a_file_that_cannot_be_read_is_reported(gallery: Gallery) -> None:
    folder = pack_of("a", "b").write(gallery.tmp / "team")
    with open_pack(folder) as files:
        (folder / "b.svg").unlink()
        report = await gallery.importer.run(files)
    assert faults(report) == {"b.svg": "cannot be read: No such file or directory"}


async def test_a_picture_that_was_collected_meanwhile_ends_the_import(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a"))
    await gallery.rows("TRUNCATE assets.assets CASCADE")
    before = await by_name(gallery)
    with pytest.raises(UnavailableError):
        await gallery.bring(pack_of("a").change("a", name="other"))
    assert await by_name(gallery) == before


async def test_many_pictures_come_in_batches(gallery: Gallery) -> None:
    keys = [f"e{number}" for number in range(260)]
    told: list[tuple[int, int]] = []
    folder = pack_of(*keys).write(gallery.tmp / "team")
    report = await import_folder(gallery, folder, told)
    assert report.added == 260
    assert told[-1] == (260, 260)
    assert [item["name"] for item in await gallery.walk(limit=200)] == keys
