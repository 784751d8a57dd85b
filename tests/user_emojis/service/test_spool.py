from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emoji_gallery.kit.errors import UnavailableError
from emoji_gallery.kit.objects import StorageFullError
from emoji_gallery.user_emojis.service.spool import Spool
from tests.waiting import eventually

MIB = 1024 * 1024


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path, max_bytes=4 * MIB)
    async with spool.running():
        yield spool


def files_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and path.name != "in-use"]


async def test_a_file_holds_what_was_written_and_knows_its_digest(spool: Spool) -> None:
    pieces = [os.urandom(size) for size in (1, 70_000, 300_000, 0, 600_000, 5)]
    async with spool.file() as file:
        for piece in pieces:
            await file.write(piece)
        digest = await file.finish()
        assert file.path.read_bytes() == b"".join(pieces)
        assert file.path.stat().st_mode & 0o777 == 0o600
        assert file.size == sum(map(len, pieces))
        assert digest == hashlib.sha256(b"".join(pieces)).hexdigest()


async def test_a_file_of_no_bytes_is_there_too(spool: Spool) -> None:
    async with spool.file() as file:
        await file.finish()
        assert file.path.read_bytes() == b""


async def test_a_file_is_gone_and_its_room_free_after_the_block(
    spool: Spool, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="midway"):
        async with spool.file() as file:
            await file.write(b"x" * MIB)
            assert spool.free_bytes == 3 * MIB
            raise RuntimeError("midway")
    assert spool.free_bytes == 4 * MIB
    assert files_below(tmp_path) == []


async def test_all_files_together_are_bounded(spool: Spool, tmp_path: Path) -> None:
    async with spool.file() as first, spool.file() as second:
        await first.write(b"x" * (3 * MIB))
        with pytest.raises(UnavailableError) as caught:
            await second.write(b"x" * (MIB + 1))
        assert caught.value.headers == {"Retry-After": "5"}
    assert spool.free_bytes == 4 * MIB
    assert files_below(tmp_path) == []


async def test_a_cancelled_request_leaves_nothing(spool: Spool, tmp_path: Path) -> None:
    async def write_for_ever() -> None:
        async with spool.file() as file:
            while True:
                await file.write(b"x" * 1000)
                if file.size > 3 * MIB:
                    await asyncio.Event().wait()

    writing = asyncio.create_task(write_for_ever())
    await eventually(lambda: files_below(tmp_path), within=30)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await eventually(lambda: spool.free_bytes == 4 * MIB, within=30)
    assert files_below(tmp_path) == []


async def test_a_full_disk_is_told_as_such(spool: Spool) -> None:
    async with spool.file() as file:
        # Every write to this device fails as on a disk without room.
        file._drain._descriptor = os.open("/dev/full", os.O_WRONLY)
        with pytest.raises(StorageFullError) as caught:
            await file.write(b"x" * MIB)
        assert (caught.value.status, caught.value.code) == (507, "storage_full")


async def test_a_folder_that_cannot_be_written_is_a_bug_that_is_not_hidden(
    spool: Spool,
) -> None:
    async with spool.file() as file:
        file.path.mkdir()
        with pytest.raises(FileExistsError):
            await file.write(b"x" * MIB)


async def test_nothing_is_lent_while_the_spool_does_not_run(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=MIB)
    with pytest.raises(RuntimeError, match="not running"):
        async with spool.file():
            pass


async def test_stopping_removes_the_folder(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=MIB)
    async with spool.running():
        assert len(list((tmp_path / "spool").iterdir())) == 1
    assert list((tmp_path / "spool").iterdir()) == []


_DIES_MIDWAY = """
import asyncio, os, sys
from pathlib import Path
from emoji_gallery.user_emojis.service.spool import Spool

async def main():
    spool = Spool(Path(sys.argv[1]), max_bytes=1_000_000)
    async with spool.running(), spool.file() as file:
        await file.write(b"x" * 500_000)
        os.kill(os.getpid(), 9)

asyncio.run(main())
"""


async def test_what_a_killed_process_left_is_removed_by_the_next(
    spool: Spool, tmp_path: Path
) -> None:
    async with spool.file() as kept:
        await kept.write(b"x" * MIB)
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _DIES_MIDWAY, str(tmp_path)
        )
        assert await other.wait() == -signal.SIGKILL
        assert len(files_below(tmp_path)) == 2
        async with Spool(tmp_path, max_bytes=MIB).running():
            assert files_below(tmp_path) == [kept.path]


async def test_a_folder_of_a_process_that_died_before_its_lock_is_a_leftover(
    tmp_path: Path,
) -> None:
    (tmp_path / "emoji-uploads-0").mkdir()
    async with Spool(tmp_path, max_bytes=MIB).running():
        assert not (tmp_path / "emoji-uploads-0").exists()


async def test_what_others_keep_in_the_same_place_stays(tmp_path: Path) -> None:
    (tmp_path / "others").mkdir()
    async with Spool(tmp_path, max_bytes=MIB).running():
        assert (tmp_path / "others").exists()
