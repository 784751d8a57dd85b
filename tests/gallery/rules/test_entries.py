from __future__ import annotations

import pytest

from emoji_gallery.gallery.rules.entries import PackReading, read_entries
from emoji_gallery.gallery.rules.manifest import ManifestError, PackManifest, read_manifest
from emoji_gallery.kit.jsontypes import JSON

PACK: JSON = {"name": "team", "label": "Team", "licence": "CC0", "attribution": "Us"}


def manifest(**tables: JSON) -> PackManifest:
    return read_manifest({"pack": PACK, **tables})


def read(*rows: dict[str, object], **tables: JSON) -> PackReading:
    files = {f"{name}.svg" for name in "abc"}
    return read_entries(manifest(**tables), rows, files)


def test_what_a_row_leaves_out_follows_from_the_rest() -> None:
    (entry,) = read({"file": "a.svg"}, {"file": "b.svg", "name": ""}, {"file": "c.svg"}).entries[:1]
    assert (entry.key, entry.name, entry.category, entry.tier) == ("a", "a", "team", "free")
    assert (entry.character, entry.base, entry.author, entry.tags) == (None, None, None, ())


def test_files_follow_from_keys_where_the_index_says_how() -> None:
    reading = read({"key": "a"}, index={"art": "{key}.svg"})
    assert reading.entries[0].file == "a.svg"


def test_an_order_column_goes_before_the_order_of_rows() -> None:
    reading = read(
        {"file": "a.svg"}, {"file": "b.svg", "order": "2"}, {"file": "c.svg", "order": "1"}
    )
    assert [entry.key for entry in reading.entries] == ["c", "b", "a"]


def test_the_first_rule_that_applies_decides_the_tier() -> None:
    reading = read(
        {"file": "a.svg", "category": "x", "subcategory": "s"},
        {"file": "b.svg", "category": "x", "tags": "gold|old"},
        {"file": "c.svg", "category": "x", "tags": "gold", "tier": "free"},
        tiers={
            "default": "premium",
            "rules": [
                {"tier": "business", "category": "x", "tag": "gold"},
                {"tier": "vip", "subcategory": "s"},
            ],
        },
    )
    assert [entry.tier for entry in reading.entries] == ["vip", "business", "free"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"file": "a.svg", "colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"file": "a.svg", "order": "first"}, "order: Input should be a valid integer"),
        ({"file": "a.svg", "active": "perhaps"}, "active: Input should be a valid boolean"),
        ({"file": "a.svg", "character": "x" * 65}, "character: String should have at most 64"),
        ({"file": "a.svg", "character": "a\x00"}, "character: has control characters"),
        ({"file": "a.svg", "name_xx": "x"}, "names.xx"),
        ({"key": "a"}, "file: Field required"),
    ],
)
def test_a_faulty_row_is_left_as_it_is(row: dict[str, object], reason: str) -> None:
    reading = read(row, {"file": "b.svg"})
    assert [entry.key for entry in reading.entries] == ["b"]
    assert reading.faults[0].reason.startswith(reason)
    assert reading.untouched == {"a"}


@pytest.mark.parametrize(
    "tables",
    [
        {"pack": {"name": "team"}},
        {"tiers": {"default": "Not A Slug"}},
        {"categories": [{"name": "zoo", "label": "Zoo", "labels": {"xx": "?"}}]},
        {"categories": [{"name": "zoo", "label": "\u202e"}]},
        {"colours": {}},
        {"index": {}, "emojis": [{"file": "a.svg"}]},
    ],
)
def test_a_manifest_that_says_something_else_is_refused(tables: dict[str, JSON]) -> None:
    with pytest.raises(ManifestError):
        manifest(**tables)
