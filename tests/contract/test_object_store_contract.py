"""What every object store must do, whatever keeps the objects."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from emoji_gallery.kit.objects import FolderObjectStore, ObjectStore

PATIENCE = timedelta(seconds=20)

# Larger than what one request takes, and not a whole number of parts.
LARGE = os.urandom(12_345_678)


def _folder(tmp_path: Path) -> ObjectStore:
    return FolderObjectStore(tmp_path / "objects", timeout=PATIENCE)


def _memory(tmp_path: Path) -> ObjectStore:
    del tmp_path
    return ObjectStore(MemoryStore(), timeout=PATIENCE)


@pytest.fixture(params=[_folder, _memory], ids=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    make: Callable[[Path], ObjectStore] = request.param
    return make(tmp_path)


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


async def test_what_was_put_is_read_back(store: ObjectStore) -> None:
    assert await store.put_if_absent("a/b/c.webp", b"picture")
    assert await store.read("a/b/c.webp") == b"picture"


async def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    assert await store.put_if_absent("a/empty", b"")
    assert await store.read("a/empty") == b""


async def test_a_key_that_is_taken_keeps_its_bytes(store: ObjectStore) -> None:
    await store.put_if_absent("a/b", b"first")
    assert not await store.put_if_absent("a/b", b"second")
    assert await store.read("a/b") == b"first"


async def test_one_of_many_writers_of_a_key_wins(store: ObjectStore) -> None:
    puts = [store.put_if_absent("a/b", b"%d" % number) for number in range(16)]
    won = await asyncio.gather(*puts)
    assert won.count(True) == 1
    assert await store.read("a/b") == b"%d" % won.index(True)


async def test_a_large_file_is_stored_whole(store: ObjectStore, large_file: Path) -> None:
    assert await store.put_if_absent("sources/large", large_file)
    assert await store.read("sources/large") == LARGE
    assert not await store.put_if_absent("sources/large", large_file)


async def test_a_small_file_is_stored_whole(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "small"
    path.write_bytes(b"small")
    assert await store.put_if_absent("sources/small", path)
    assert not await store.put_if_absent("sources/small", path)
    assert await store.read("sources/small") == b"small"


async def test_what_is_not_there_is_none(store: ObjectStore) -> None:
    assert await store.head("a/b") is None
    assert await store.open("a/b") is None
    assert await store.read("a/b") is None


async def test_head_tells_size_and_time(store: ObjectStore) -> None:
    await store.put_if_absent("a/b", b"12345")
    info = await store.head("a/b")
    assert info is not None
    assert (info.key, info.size) == ("a/b", 5)
    assert abs(info.modified - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        (0, None, b"0123456789"),
        (0, 1, b"0"),
        (3, 7, b"3456"),
        (7, None, b"789"),
        (9, 10, b"9"),
    ],
)
async def test_a_part_is_read_alone(
    store: ObjectStore, start: int, stop: int | None, expected: bytes
) -> None:
    await store.put_if_absent("a/b", b"0123456789")
    reader = await store.open("a/b", start=start, stop=stop)
    assert reader is not None
    assert (reader.start, reader.stop, reader.info.size) == (start, start + len(expected), 10)
    assert await reader.read() == expected


async def test_a_large_object_comes_in_pieces(store: ObjectStore, large_file: Path) -> None:
    await store.put_if_absent("a/large", large_file)
    reader = await store.open("a/large", start=1000)
    assert reader is not None
    pieces = [piece async for piece in reader.chunks()]
    assert b"".join(pieces) == LARGE[1000:]


async def test_deleted_objects_are_gone_and_missing_ones_do_not_matter(store: ObjectStore) -> None:
    for key in ("a/1", "a/2", "a/3"):
        await store.put_if_absent(key, b"x")
    await store.delete(["a/1", "a/never", "b/never", "a/2"])
    assert [await store.head(key) is None for key in ("a/1", "a/2", "a/3")] == [True, True, False]


async def test_deleting_nothing_is_nothing(store: ObjectStore) -> None:
    await store.put_if_absent("a/1", b"x")
    await store.delete([])
    assert await store.head("a/1") is not None


async def test_a_deleted_key_can_be_put_again(store: ObjectStore) -> None:
    await store.put_if_absent("a/b", b"old")
    await store.delete(["a/b"])
    assert await store.put_if_absent("a/b", b"new")
    assert await store.read("a/b") == b"new"


async def test_pages_hold_every_object_below_the_prefix_once(store: ObjectStore) -> None:
    keys = {f"sources/{number % 7:02x}/{number}" for number in range(1100)}
    puts = [store.put_if_absent(key, b"x") for key in (*keys, "renditions/00/1")]
    await asyncio.gather(*puts)
    pages = [page async for page in store.pages("sources")]
    assert len(pages) > 1
    found = [info.key for page in pages for info in page]
    assert len(found) == len(keys)
    assert set(found) == keys
    below = [info.key async for page in store.pages("sources/03") for info in page]
    assert set(below) == {key for key in keys if key.startswith("sources/03/")}


async def test_a_prefix_without_objects_has_no_pages(store: ObjectStore) -> None:
    assert [page async for page in store.pages("nothing")] == []


async def test_finished_objects_are_not_unfinished(store: ObjectStore) -> None:
    await store.put_if_absent("a/b", b"x")
    assert await store.remove_unfinished(before=datetime.now(UTC) + timedelta(days=1)) == 0
    assert await store.read("a/b") == b"x"
