from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from emoji_gallery.embedded.errors import EmbeddedError, UnusableFolderError
from emoji_gallery.embedded.folders import make_data_dir, only_user_of, prepare
from emoji_gallery.embedded.parts import addresses_of_running


def test_symbolic_link_in_place_of_a_folder_is_never_given_away(folder: Path) -> None:
    data = make_data_dir(folder / "data")
    precious = folder / "precious"
    precious.mkdir()
    before = precious.stat()
    (data / "valkey").symlink_to(precious)
    with pytest.raises(UnusableFolderError, match="valkey is there but is no folder of"):
        prepare(data)
    assert (precious.stat().st_uid, precious.stat().st_mode) == (before.st_uid, before.st_mode)


def test_folder_that_is_open_to_others_is_refused(folder: Path) -> None:
    data = make_data_dir(folder / "data")
    (data / "valkey").mkdir()
    (data / "valkey").chmod(0o777)
    with pytest.raises(UnusableFolderError, match="valkey is there"):
        prepare(data)


def test_parents_of_the_data_folder_keep_their_modes(folder: Path) -> None:
    parent = folder / "parent"
    parent.mkdir()
    parent.chmod(0o751)
    prepare(make_data_dir(parent / "data"))
    assert parent.stat().st_mode & 0o777 == 0o751


def test_no_short_path_for_sockets_is_reported(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder / ("long" * 25)))
    with pytest.raises(UnusableFolderError, match="short and plain enough for a socket"):
        prepare(make_data_dir(folder / ("also long" * 10)))


async def test_run_that_is_only_starting_has_no_addresses_yet(folder: Path) -> None:
    data = make_data_dir(folder / "data")
    async with only_user_of(data):
        with pytest.raises(EmbeddedError, match="starting or stopping: try again"):
            addresses_of_running(data)


async def test_a_look_at_the_folder_does_not_keep_a_run_from_starting(folder: Path) -> None:
    data = make_data_dir(folder / "data")
    for _ in range(50):
        assert addresses_of_running(data) is None
        async with only_user_of(data):
            pass


async def test_run_that_is_stopping_is_waited_for(folder: Path) -> None:
    data = make_data_dir(folder / "data")
    async with only_user_of(data) as _:
        following = asyncio.create_task(_take(data))
        await asyncio.sleep(0)
        assert not following.done()
    await asyncio.wait_for(following, 10)


async def _take(data: Path) -> None:
    async with only_user_of(data):
        pass
