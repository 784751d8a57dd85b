from __future__ import annotations

import asyncio
import os
import resource
import stat
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from obstore.store import HTTPStore

from emoji_gallery.kit.errors import UnavailableError
from emoji_gallery.kit.objects import (
    FolderObjectStore,
    ObjectStore,
    StorageFullError,
    StorageSettings,
    open_store,
)

PATIENCE = timedelta(seconds=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def store(folder: Path) -> FolderObjectStore:
    return FolderObjectStore(folder, timeout=PATIENCE)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_files_are_for_this_user_alone(store: FolderObjectStore, folder: Path) -> None:
    await store.put_if_absent("a/b", b"x")
    assert [_mode(path) for path in (folder, folder / "a" / "b")] == [0o700, 0o600]


async def test_writing_leaves_no_drafts(store: FolderObjectStore, folder: Path) -> None:
    await store.put_if_absent("a/b", b"x")
    await store.put_if_absent("a/b", b"x")
    assert _files(folder) == [folder / "a" / "b"]


async def test_drafts_of_dead_writers_are_removed_when_they_are_old(
    store: FolderObjectStore, folder: Path
) -> None:
    old, young = folder / "incoming" / "old#1", folder / "incoming" / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    two_days_ago = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    os.utime(old, (two_days_ago, two_days_ago))
    assert await store.remove_unfinished(before=datetime.now(UTC) - timedelta(days=1)) == 1
    assert _files(folder) == [young]


async def test_a_folder_in_the_way_is_an_unavailable_storage(
    store: FolderObjectStore, folder: Path
) -> None:
    (folder / "sources").write_bytes(b"not a folder")
    with pytest.raises(UnavailableError):
        await store.put_if_absent("sources/ab/abcd", b"x")
    assert _files(folder) == [folder / "sources"]


FULL_DISK = """
    import asyncio, resource, sys
    from datetime import timedelta
    from pathlib import Path
    from emoji_gallery.kit.objects import FolderObjectStore, StorageFullError

    # No file of this process may pass 4 kB, as on a disk that has 4 kB left.
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    async def main() -> None:
        store = FolderObjectStore(Path(sys.argv[1]), timeout=timedelta(seconds=20))
        assert await store.put_if_absent("a/small", b"x" * 4096)
        try:
            await store.put_if_absent("a/large", b"x" * 4097)
        except StorageFullError as error:
            print(error.status, error.code)

    asyncio.run(main())
"""


def test_a_full_disk_is_a_problem_of_its_own_and_keeps_nothing(folder: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (child.stdout, child.returncode) == ("507 storage_full\n", 0), child.stderr
    assert _files(folder) == [folder / "a" / "small"]


async def test_no_more_open_files_is_an_unavailable_storage_not_a_full_one(
    store: FolderObjectStore,
) -> None:
    await store.put_if_absent("a/b", b"x")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(UnavailableError) as refused:
            await store.read("a/b")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not isinstance(refused.value, StorageFullError)
    assert await store.read("a/b") == b"x"


@asynccontextmanager
async def _silent_server() -> AsyncIterator[str]:
    """A storage that takes every request and answers none."""
    open_connections: list[asyncio.StreamWriter] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.append(writer)
        await reader.read()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        for writer in open_connections:
            writer.close()
        server.close()
        await server.wait_closed()


async def test_a_large_object_is_read_in_pieces(store: FolderObjectStore) -> None:
    await store.put_if_absent("a/b", bytes(8 * 1024 * 1024))
    reader = await store.open("a/b")
    assert reader is not None
    assert len([piece async for piece in reader.chunks()]) > 8


async def test_a_storage_that_does_not_answer_is_given_up() -> None:
    async with _silent_server() as address:
        backend = HTTPStore.from_url(address, client_options={"allow_http": True})
        store = ObjectStore(backend, timeout=timedelta(milliseconds=200))
        with pytest.raises(UnavailableError) as refused:
            await store.head("a/b")
    assert refused.value.status == 503
    assert "Retry-After" in refused.value.headers


async def test_the_event_loop_turns_while_a_large_file_is_stored(
    store: FolderObjectStore, tmp_path: Path
) -> None:
    source = tmp_path / "large"
    source.write_bytes(bytes(32 * 1024 * 1024))
    putting = asyncio.create_task(store.put_if_absent("a/b", source))
    turns = 0
    while not putting.done():
        await asyncio.sleep(0)
        turns += 1
    assert await putting
    assert turns > 20


def test_without_an_address_files_are_in_the_data_folder(tmp_path: Path) -> None:
    open_store(StorageSettings(storage_url=""), tmp_path)
    assert (tmp_path / "objects" / "incoming").is_dir()


def test_a_file_address_names_the_folder(tmp_path: Path) -> None:
    address = (tmp_path / "my objects").as_uri()
    open_store(StorageSettings(storage_url=address), tmp_path / "elsewhere")
    assert (tmp_path / "my objects" / "incoming").is_dir()


async def test_memory_needs_no_folder(tmp_path: Path) -> None:
    store = open_store(StorageSettings(storage_url="memory:"), tmp_path / "none")
    assert await store.put_if_absent("a", b"x")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("address", ["ftp://host/x", "file://host/x", "/a/folder", "file:"])
def test_an_unknown_address_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="STORAGE_URL"):
        open_store(StorageSettings(storage_url=address), tmp_path)
