"""The entries of a pack, checked one by one: a faulty one keeps none of the others out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from emoji_gallery.gallery.rules.locales import Locale
from emoji_gallery.gallery.rules.manifest import Label, PackManifest, Slug
from emoji_gallery.gallery.rules.texts import shown_tags

ART_SUFFIXES: Final = frozenset({".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif"})

MAX_CHARACTER_CHARACTERS: Final = 64
MAX_PATH_CHARACTERS: Final = 255

_NAME_COLUMN: Final = re.compile(r"name_([a-z]{2})")
_NOT_IN_SLUGS: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Fault:
    """What is wrong with one file or row of a pack."""

    file: str
    reason: str


@dataclass(frozen=True)
class PackEntry:
    """One emoji as its pack describes it. `tier` is a name; `base` is another entry's key.

    An entry that is not `active` is kept, but not shown.
    """

    key: str
    file: str
    name: str
    character: str | None
    category: str
    subcategory: str
    tags: tuple[str, ...]
    base: str | None
    author: str | None
    tier: str
    names: Mapping[str, str]
    active: bool


@dataclass(frozen=True)
class PackReading:
    """A pack as read: its entries in order, its faults, and the keys of entries left as they are.

    An entry whose art is gone has vanished; one that is there but faulty has not, so that a
    damaged file takes nothing out of the gallery.
    """

    manifest: PackManifest
    entries: tuple[PackEntry, ...]
    faults: tuple[Fault, ...]
    untouched: frozenset[str] = frozenset()


def _split_tags(value: object) -> object:
    return [tag for tag in value.split("|") if tag.strip()] if isinstance(value, str) else value


def _shown_tags(tags: list[str]) -> list[str]:
    return shown_tags(tags)


def _printable(text: str) -> str:
    if any(ord(character) < ord(" ") for character in text):
        raise ValueError("has control characters")
    return text


def _inside(path: str) -> str:
    """A relative path that stays below the folder that it is joined to."""
    parts = path.split("/")
    if "\\" in path or ":" in parts[0] or any(part in {"", ".", ".."} for part in parts):
        raise ValueError("is not a path inside of the pack")
    return _printable(path)


_Key = Annotated[str, Field(min_length=1, max_length=MAX_PATH_CHARACTERS), AfterValidator(_inside)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    file: _Key
    key: _Key
    name: Label
    character: (
        Annotated[
            str,
            Field(min_length=1, max_length=MAX_CHARACTER_CHARACTERS),
            AfterValidator(_printable),
        ]
        | None
    ) = None
    category: Slug
    subcategory: Slug | None = None
    tags: Annotated[list[str], BeforeValidator(_split_tags), AfterValidator(_shown_tags)] = []
    base: _Key | None = None
    order: int | None = None
    author: Label | None = None
    tier: Slug | None = None
    active: bool = True
    names: dict[Locale, Label] = Field(default_factory=dict)


KNOWN_COLUMNS: Final = frozenset(_Row.model_fields) - {"names"}


def is_known_column(name: str) -> bool:
    """Whether an index may have the column; `name_de` holds the German names."""
    return name in KNOWN_COLUMNS or _NAME_COLUMN.fullmatch(name) is not None


def is_art(file: str) -> bool:
    """Whether a file's name is one of a picture that packs may hold."""
    return PurePosixPath(file).suffix.lower() in ART_SUFFIXES


def key_in(manifest: PackManifest, cells: Mapping[str, object]) -> str:
    """What a row, even a faulty one, is known by; empty where it does not say."""
    return str(_filled(manifest, cells)["key"])


def rows_of_files(files: Iterable[str]) -> Iterator[Mapping[str, object]]:
    """The rows of a pack that lists none: each picture, categorised by the folder it is in."""
    for file in sorted(files):
        folder = PurePosixPath(file).parent.name
        yield {"file": file, "category": _NOT_IN_SLUGS.sub("-", folder.lower()).strip("-")}


def read_entries(
    manifest: PackManifest,
    rows: Iterable[Mapping[str, object]],
    files: Collection[str],
    *,
    refused: Collection[str] = (),
) -> PackReading:
    """Check every row against the rules, the files and the other rows.

    `refused` are files that are there, but may not be read; that is reported already.
    """
    faults: list[Fault] = []
    untouched: set[str] = set()
    read: dict[str, _Row] = {}
    for number, cells in enumerate(rows, start=1):
        filled = _filled(manifest, cells)
        try:
            row = _Row.model_validate(filled)
        except ValidationError as error:
            faults.append(Fault(str(filled.get("file") or f"row {number}"), _sentence(error)))
            untouched.add(str(filled.get("key")))
            continue
        fault = _fault_among(row, read, files)
        if row.file in refused:
            untouched.add(row.key)
        elif fault is None:
            read[row.key] = row
        else:
            faults.append(Fault(row.file, fault))
    orphans = _orphans(read)
    faults.extend(Fault(read[key].file, reason) for key, reason in orphans.items())
    listed = {row.file for row in read.values()} | {fault.file for fault in faults}
    faults.extend(
        Fault(file, "is in the pack, but nothing lists it") for file in sorted({*files} - listed)
    )
    kept = sorted(
        (row for row in read.values() if row.key not in orphans),
        key=lambda row: (row.order is None, row.order or 0),
    )
    return PackReading(
        manifest=manifest,
        entries=tuple(_entry(manifest, row) for row in kept),
        faults=tuple(faults),
        untouched=frozenset(untouched | orphans.keys()),
    )


def _filled(manifest: PackManifest, cells: Mapping[str, object]) -> dict[str, object]:
    """A row with what follows from the rest of it; blank cells count as absent."""
    row: dict[str, object] = {
        name: value.strip() if isinstance(value, str) else value
        for name, value in cells.items()
        if value not in ("", None)
    }
    names = {
        match.group(1): row.pop(name)
        for name in tuple(row)
        if (match := _NAME_COLUMN.fullmatch(name))
    }
    if names:
        row["names"] = names
    if "file" not in row and "key" in row and manifest.index and manifest.index.art:
        row["file"] = manifest.index.art.replace("{key}", str(row["key"]))
    path = PurePosixPath(str(row.get("file", "")))
    row.setdefault("key", str(path.with_suffix("")) if path.name else "")
    row.setdefault("name", re.sub(r"[-_]+", " ", path.stem))
    row.setdefault("category", manifest.pack.name)
    return row


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg'].removeprefix('Value error, ')}"


def _fault_among(row: _Row, read: Mapping[str, _Row], files: Collection[str]) -> str | None:
    if row.key in read:
        return f"key: {row.key} is listed twice"
    if not is_art(row.file):
        return f"is none of {', '.join(sorted(ART_SUFFIXES))}"
    if row.file not in files:
        return "there is no such file in the pack"
    return None


def _orphans(read: Mapping[str, _Row]) -> dict[str, str]:
    """Variants without a base to stand under, with the reason."""
    orphans: dict[str, str] = {}
    for key, row in read.items():
        if row.base is None:
            continue
        if row.base not in read:
            orphans[key] = f"base: {row.base} is not an entry of the pack"
        elif read[row.base].base is not None:
            orphans[key] = f"base: {row.base} is a variant itself"
    return orphans


def _entry(manifest: PackManifest, row: _Row) -> PackEntry:
    tags = tuple(row.tags)
    subcategory = row.subcategory or ""
    return PackEntry(
        key=row.key,
        file=row.file,
        name=row.name,
        character=row.character,
        category=row.category,
        subcategory=subcategory,
        tags=tags,
        base=row.base,
        author=row.author,
        tier=row.tier or manifest.tiers.tier_of(row.category, subcategory, tags),
        active=row.active,
        names={str(locale): name for locale, name in row.names.items()},
    )
