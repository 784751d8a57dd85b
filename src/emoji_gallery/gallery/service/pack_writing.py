"""Writes a pack's files into a new folder or a new zip archive."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from emoji_gallery.gallery.rules.manifest import CategoryLabels, PackFacts

# Archives of the same pack are the same bytes.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)


class PackExistsError(Exception):
    """There is something already where a pack was to be written."""


class PackSink(Protocol):
    """Takes the files of a pack, one by one."""

    def write(self, name: str, data: bytes) -> None:
        """Add a file by its relative name."""
        ...


@dataclass(frozen=True)
class _Folder:
    root: Path

    def write(self, name: str, data: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@dataclass(frozen=True)
class _Archive:
    archive: zipfile.ZipFile

    def write(self, name: str, data: bytes) -> None:
        member = zipfile.ZipInfo(name, _NO_TIME)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.external_attr = 0o644 << 16
        self.archive.writestr(member, data)


@contextmanager
def create_pack(path: Path) -> Iterator[PackSink]:
    """Lend a place for files: an archive where the path ends in `.zip`, else a folder.

    Raises `PackExistsError` when anything but an empty folder is there.
    """
    if path.suffix.lower() == ".zip":
        try:
            archive = zipfile.ZipFile(path, "x")
        except FileExistsError:
            raise PackExistsError(f"{path} is there already.") from None
        with archive:
            yield _Archive(archive)
        return
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise PackExistsError(f"{path} is there already.")
    path.mkdir(parents=True, exist_ok=True)
    yield _Folder(path)


def manifest_text(facts: PackFacts, categories: Sequence[CategoryLabels], tier: str) -> str:
    """The `pack.toml` of a pack whose index names every emoji's tier."""
    lines = ["[pack]", *_pairs(facts.model_dump()), "", "[tiers]", f"default = {_quoted(tier)}"]
    for category in categories:
        lines += ["", "[[categories]]"]
        lines += _pairs({"name": category.name, "label": category.label})
        if category.labels:
            lines += [
                "",
                "[categories.labels]",
                *_pairs({str(key): text for key, text in category.labels.items()}),
            ]
    return "\n".join(lines) + "\n"


def index_text(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """The index as CSV (RFC 4180)."""
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{key} = {_quoted(value)}" for key, value in values.items()]


def _quoted(text: str) -> str:
    """A TOML basic string, which JSON's strings without control characters are (TOML 1.0)."""
    return json.dumps(text, ensure_ascii=False)
