from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from emoji_gallery.gallery.service import pack_files
from emoji_gallery.gallery.service.pack_files import (
    PackFileError,
    PackUnreadableError,
    open_pack,
)
from emoji_gallery.gallery.service.pack_reading import read_pack
from tests.gallery.packs import drawing, pack_of


@pytest.mark.parametrize("top", ["", "my-pack/"])
def test_an_archive_is_read_like_the_folder_it_was_made_of(tmp_path: Path, top: str) -> None:
    pack = pack_of("a", "b")
    with open_pack(pack.write(tmp_path / "folder")) as files:
        from_folder = read_pack(files)
    with open_pack(pack.zipped(tmp_path / "pack.zip", top=top)) as files:
        assert read_pack(files) == from_folder
        assert files.read("a.svg") == pack.art["a.svg"]
    assert from_folder.faults == ()


@pytest.mark.parametrize(
    "name", ["../evil.svg", "/etc/evil.svg", "a/../../evil.svg", "..\\evil.svg", "C:evil.svg"]
)
def test_names_that_lead_out_of_an_archive_are_reported(tmp_path: Path, name: str) -> None:
    path = pack_of("a").zipped(tmp_path / "pack.zip")
    with zipfile.ZipFile(path, "a") as written:
        written.writestr(name, drawing("evil"))
    with open_pack(path) as files:
        assert [(fault.file, fault.reason) for fault in files.faults] == [
            (name, "its name leads out of the pack")
        ]
        assert read_pack(files).entries[0].key == "a"


@pytest.mark.parametrize("file", ["../a.svg", "/a.svg", "x/../../a.svg", "..\\a.svg", "C:a.svg"])
@pytest.mark.parametrize("column", ["file", "key"])
def test_an_index_that_leads_out_of_the_pack_is_reported(
    tmp_path: Path, file: str, column: str
) -> None:
    pack = pack_of("a", "b")
    pack.change("b", **{column: file})
    with open_pack(pack.write(tmp_path / "pack")) as files:
        reading = read_pack(files)
    assert [entry.key for entry in reading.entries] == ["a"]
    assert f"{column}: is not a path inside of the pack" in {f.reason for f in reading.faults}


def test_links_of_an_archive_are_reported(tmp_path: Path) -> None:
    path = pack_of("a").zipped(tmp_path / "pack.zip")
    link = zipfile.ZipInfo("link.svg")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as written:
        written.writestr(link, "/etc/passwd")
    with open_pack(path) as files:
        assert [(f.file, f.reason) for f in files.faults] == [("link.svg", "is not a plain file")]


def test_links_and_pipes_of_a_folder_are_reported(tmp_path: Path) -> None:
    folder = pack_of("a").write(tmp_path / "pack")
    (folder / "link.svg").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.svg")
    with open_pack(folder) as files:
        assert [f.file for f in files.faults] == ["link.svg", "pipe.svg"]
        assert "link.svg" not in files.names


def test_the_same_name_twice_in_an_archive_is_reported(tmp_path: Path) -> None:
    path = pack_of("a").zipped(tmp_path / "pack.zip")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as written:
        written.writestr("a.svg", drawing("another"))
    with open_pack(path) as files:
        assert [f.reason for f in files.faults] == ["is twice in the archive"]


def test_what_systems_leave_behind_and_nested_archives_are_not_looked_at(tmp_path: Path) -> None:
    path = pack_of("a").zipped(tmp_path / "pack.zip")
    with zipfile.ZipFile(path, "a") as written:
        for name in (".DS_Store", "__MACOSX/a.svg", ".git/x.svg", "more.zip", "README.md", "dir/"):
            written.writestr(name, b"x")
    with open_pack(path) as files:
        assert read_pack(files).faults == ()
    folder = pack_of("a").write(tmp_path / "folder")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "x.svg").write_bytes(b"x")
    with open_pack(folder) as files:
        assert read_pack(files).faults == ()


def test_an_encrypted_file_is_reported(tmp_path: Path) -> None:
    path = pack_of("a").zipped(tmp_path / "pack.zip")
    data = bytearray(path.read_bytes())
    # The flags are two bytes after the signature and version(s) of each header.
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rindex(signature) + offset] |= 1
    path.write_bytes(data)
    with open_pack(path) as files:
        assert [f.reason for f in files.faults] == ["is encrypted"]


def test_a_damaged_file_of_an_archive_is_refused_when_it_is_read(tmp_path: Path) -> None:
    pack = pack_of("a")
    path = pack.zipped(tmp_path / "pack.zip")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"<title>team/a", b"<title>TEAM/A"))
    with open_pack(path) as files, pytest.raises(PackFileError, match="cannot be unpacked"):
        files.read("a.svg")


def test_a_file_that_is_gone_is_refused_when_it_is_read(tmp_path: Path) -> None:
    folder = pack_of("a").write(tmp_path / "pack")
    with open_pack(folder) as files:
        (folder / "a.svg").unlink()
        with pytest.raises(PackFileError, match="cannot be read"):
            files.read("a.svg")


def test_no_file_is_read_past_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = pack_of("a").add("b", art=b"x" * 2000)
    folder = pack.write(tmp_path / "folder")
    zipped = pack.zipped(tmp_path / "pack.zip")
    monkeypatch.setattr(pack_files, "MAX_FILE_BYTES", 1000)
    with open_pack(folder) as files, pytest.raises(PackFileError, match="has more than"):
        files.read("b.svg")
    with open_pack(zipped) as files:
        assert [f.file for f in files.faults] == ["b.svg"]


def test_a_pack_of_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = pack_of("a", "b", "c")
    monkeypatch.setattr(pack_files, "MAX_FILES", 3)
    with pytest.raises(PackUnreadableError), open_pack(pack.write(tmp_path / "folder")):
        pass
    with pytest.raises(PackUnreadableError), open_pack(pack.zipped(tmp_path / "pack.zip")):
        pass


def test_what_is_no_pack_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    for name in ("text", "nothing"):
        with pytest.raises(PackUnreadableError), open_pack(tmp_path / name):
            pass
    (tmp_path / "empty").mkdir()
    with (
        open_pack(tmp_path / "empty") as files,
        pytest.raises(PackUnreadableError, match="no pack"),
    ):
        read_pack(files)


def test_rows_and_columns_that_do_not_fit_are_reported(tmp_path: Path) -> None:
    folder = pack_of("a").write(tmp_path / "pack")
    (folder / "index.csv").write_text("key,file,teir\na,a.svg,free\nb,b.svg\n\nc,c.svg,free,more\n")
    with open_pack(folder) as files:
        reading = read_pack(files)
    assert [entry.key for entry in reading.entries] == ["a"]
    assert [(fault.file, fault.reason) for fault in reading.faults] == [
        ("index.csv", "the column teir is not known and was not read"),
        ("row 2", "has 2 cells instead of 3"),
        ("row 3", "has 4 cells instead of 3"),
    ]


@pytest.mark.parametrize("index", [b"key\n\xff\n", b'key\n"open\n', b"key\n" + b"x" * 200_000])
def test_an_index_that_is_no_table_is_refused(tmp_path: Path, index: bytes) -> None:
    folder = pack_of("a").write(tmp_path / "pack")
    (folder / "index.csv").write_bytes(index)
    with open_pack(folder) as files, pytest.raises(PackUnreadableError, match="index"):
        read_pack(files)


def test_an_empty_index_lists_nothing(tmp_path: Path) -> None:
    folder = pack_of("a").write(tmp_path / "pack")
    (folder / "index.csv").write_bytes(b"")
    with open_pack(folder) as files:
        reading = read_pack(files)
    assert reading.entries == ()
    assert [fault.file for fault in reading.faults] == ["a.svg"]
