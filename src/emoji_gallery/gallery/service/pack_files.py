"""A pack's files, wherever they are: a folder, a zip archive, a package.

Names come from others. What would lead out of the pack, is too large, or is not a plain file is
a fault; archives inside of archives are not opened.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from emoji_gallery.gallery.rules.entries import Fault
from emoji_gallery.gallery.rules.manifest import MANIFEST_NAME

MAX_FILES: Final = 200_000
MAX_FILE_BYTES: Final = 32 * 1024 * 1024

_ENCRYPTED: Final = 0x1


class PackUnreadableError(Exception):
    """The pack as a whole cannot be read; the sentence says why."""


class PackFileError(Exception):
    """One file of a pack cannot be read; the sentence says why."""


class PackFiles(Protocol):
    """Reads files of a pack by their names, which are relative and use slashes."""

    @property
    def names(self) -> frozenset[str]:
        """Every file that may be read."""
        ...

    @property
    def faults(self) -> Sequence[Fault]:
        """The files that may not, and why."""
        ...

    def read(self, name: str) -> bytes:
        """A file's bytes, at most `MAX_FILE_BYTES`; raises `PackFileError`."""
        ...


@dataclass(frozen=True)
class FolderFiles:
    """The files under a folder. Symbolic links are not followed."""

    root: Path
    names: frozenset[str]
    faults: Sequence[Fault] = ()

    def read(self, name: str) -> bytes:
        """A file's bytes; raises `PackFileError`."""
        try:
            with (self.root / name).open("rb") as file:
                return _bounded(file.read(MAX_FILE_BYTES + 1))
        except OSError as error:
            raise PackFileError(f"cannot be read: {error.strerror}") from error


@dataclass(frozen=True)
class ZipFiles:
    """The files of an open zip archive, by their names below the manifest's folder."""

    archive: zipfile.ZipFile
    members: Mapping[str, zipfile.ZipInfo]
    faults: Sequence[Fault] = ()

    @property
    def names(self) -> frozenset[str]:
        """Every file that may be read."""
        return frozenset(self.members)

    def read(self, name: str) -> bytes:
        """A file's bytes, however many the archive claims; raises `PackFileError`."""
        try:
            with self.archive.open(self.members[name]) as file:
                return _bounded(file.read(MAX_FILE_BYTES + 1))
        except (OSError, EOFError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
            raise PackFileError(f"cannot be unpacked: {error}") from error


@dataclass(frozen=True)
class LayeredFiles:
    """Files of several places as one; the first that has a name gives it."""

    layers: Sequence[PackFiles]
    faults: Sequence[Fault] = field(default=())

    @property
    def names(self) -> frozenset[str]:
        """Every file of any layer."""
        return frozenset[str]().union(*(layer.names for layer in self.layers))

    def read(self, name: str) -> bytes:
        """A file's bytes; raises `PackFileError`."""
        for layer in self.layers:
            if name in layer.names:
                return layer.read(name)
        raise PackFileError("there is no such file")


@contextmanager
def open_pack(path: Path) -> Iterator[PackFiles]:
    """Lend the files of a folder or a zip archive; raises `PackUnreadableError`."""
    if path.is_dir():
        yield folder_files(path)
        return
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise PackUnreadableError(f"{path} is neither a folder nor a zip archive.") from error
    with archive:
        yield zip_files(archive)


def folder_files(root: Path) -> FolderFiles:
    """Look through a folder; raises `PackUnreadableError` when it holds too much."""
    names: set[str] = set()
    faults: list[Fault] = []
    for folder, below, files in os.walk(root):
        below[:] = sorted(name for name in below if not _is_hidden(name))
        for file in files:
            path = Path(folder, file)
            name = path.relative_to(root).as_posix()
            if _is_hidden(file):
                continue
            if stat.S_ISREG(path.lstat().st_mode):
                names.add(name)
            else:
                faults.append(Fault(name, "is not a plain file"))
            _check_count(len(names))
    return FolderFiles(root, frozenset(names), tuple(sorted(faults, key=lambda fault: fault.file)))


def zip_files(archive: zipfile.ZipFile) -> ZipFiles:
    """Look through an archive; the manifest is on top or in the one folder on top."""
    members: dict[str, zipfile.ZipInfo] = {}
    faults: list[Fault] = []
    for member in archive.infolist():
        if member.is_dir() or any(_is_hidden(part) for part in member.filename.split("/")):
            continue
        reason = "is twice in the archive" if member.filename in members else _refusal(member)
        if reason is None:
            members[member.filename] = member
        else:
            faults.append(Fault(member.filename, reason))
        _check_count(len(members))
    top = _folder_of_manifest(members)
    below = {
        name.removeprefix(top): member for name, member in members.items() if name.startswith(top)
    }
    return ZipFiles(archive, below, tuple(faults))


def _is_hidden(name: str) -> bool:
    return name == "__MACOSX" or (name.startswith(".") and not name.startswith(".."))


def _refusal(member: zipfile.ZipInfo) -> str | None:
    path = PurePosixPath(member.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in path.parts[0]:
        return "its name leads out of the pack"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is not a plain file"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if member.file_size > MAX_FILE_BYTES:
        return _TOO_LARGE
    return None


def _folder_of_manifest(members: Mapping[str, zipfile.ZipInfo]) -> str:
    if MANIFEST_NAME in members:
        return ""
    nested = [
        name for name in members if name.endswith(f"/{MANIFEST_NAME}") and name.count("/") == 1
    ]
    return nested[0].removesuffix(MANIFEST_NAME) if len(nested) == 1 else ""


def _check_count(count: int) -> None:
    if count > MAX_FILES:
        raise PackUnreadableError(f"The pack has more than {MAX_FILES} files.")


_TOO_LARGE: Final = f"has more than {MAX_FILE_BYTES} bytes"


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_FILE_BYTES:
        raise PackFileError(_TOO_LARGE)
    return data
