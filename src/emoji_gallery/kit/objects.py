"""Object storage through obstore: a local folder or memory behind one interface.

Keys are relative paths such as `sources/ab/abcd…`. Objects are written once and never
changed, so a reader sees the whole of one or none of it. Nothing here blocks the event loop.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, MemoryStore
from obstore.store import ObjectStore as Backend
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from typing_extensions import override

from emoji_gallery.kit.errors import ProblemError, UnavailableError

if TYPE_CHECKING:
    # These names exist for type checkers only.
    from obstore import GetOptions, GetResult, ObjectMeta

# Files up to this size are put in one conditional request; larger ones are streamed in parts.
_PART_BYTES: Final = 5 * 1024 * 1024
_PARTS_AT_ONCE: Final = 2
_CHUNK_BYTES: Final = 256 * 1024
_PAGE_OBJECTS: Final = 1000

# Writing may move a whole film's worth of bytes, everything else answers in one round trip.
_WRITE_PATIENCE: Final = 6

_INCOMING: Final = "incoming"
_OS_ERROR: Final = re.compile(r"\(os error (\d+)\)")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageFullError(ProblemError):
    """The storage takes nothing more; what was sent is not kept."""

    status = 507
    code = "storage_full"
    title = "The storage is full."


class StorageSettings(BaseSettings):
    """Where files are kept."""

    model_config = SettingsConfigDict(frozen=True)

    storage_url: str = Field(
        default="",
        description="`file:///a/folder` or `memory:` (lost with the process); "
        "empty means the folder `objects` in DATA_DIR.",
    )
    storage_timeout_seconds: float = Field(
        default=10, gt=0, description="The storage answers within this time, or is away."
    )


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What the storage says of one object; size in bytes."""

    key: str
    size: int
    modified: datetime


class ObjectReader:
    """One object, or a part of it, open for reading once."""

    def __init__(self, result: GetResult, *, timeout: timedelta) -> None:
        """Take over an answer of obstore, of which nothing has been read."""
        self._result = result
        self._timeout = timeout
        self.info = _info(result.meta)
        self.start, self.stop = result.range

    async def read(self) -> bytes:
        """All bytes; raises `UnavailableError`."""
        async with _translated(self._timeout):
            return bytes(await self._result.bytes_async())

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes in pieces of about 256 KiB; raises `UnavailableError`, also midway."""
        stream = self._result.stream(min_chunk_size=_CHUNK_BYTES)
        while True:
            async with _translated(self._timeout):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            yield bytes(chunk)


class ObjectStore:
    """The objects of one bucket or folder.

    Every method raises `UnavailableError` when the storage is away or too slow.
    """

    def __init__(self, backend: Backend, *, timeout: timedelta) -> None:
        """Use a store of obstore's, giving it `timeout` for an answer."""
        self._backend = backend
        self._timeout = timeout

    async def put_if_absent(self, key: str, source: bytes | Path) -> bool:
        """Store bytes or a file's bytes, unless the key is taken; tell whether they were.

        A file is streamed. Raises `StorageFullError`; then, as after any error, nothing is kept.
        """
        async with _translated(self._timeout * _WRITE_PATIENCE):
            return await self._put_if_absent(key, source)

    async def head(self, key: str) -> ObjectInfo | None:
        """What is stored under a key; None for nothing."""
        async with _translated(self._timeout):
            try:
                return _info(await obstore.head_async(self._backend, key))
            except FileNotFoundError:
                return None

    async def open(
        self, key: str, *, start: int = 0, stop: int | None = None
    ) -> ObjectReader | None:
        """Open an object's bytes from `start` up to, not with, `stop`; None for no object."""
        options: GetOptions = {}
        if stop is not None:
            options = {"range": (start, stop)}
        elif start:
            options = {"range": {"offset": start}}
        async with _translated(self._timeout):
            try:
                result = await obstore.get_async(self._backend, key, options=options)
            except FileNotFoundError:
                return None
        return ObjectReader(result, timeout=self._timeout)

    async def read(self, key: str) -> bytes | None:
        """All bytes of an object; None for no object."""
        reader = await self.open(key)
        return await reader.read() if reader else None

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; afterwards none of the keys is there, also if some never were."""
        if keys:
            async with _translated(self._timeout * _WRITE_PATIENCE):
                await self._delete(keys)

    async def pages(self, prefix: str) -> AsyncIterator[list[ObjectInfo]]:
        """All objects below a folder-like prefix, a bounded number at a time, in no order."""
        stream = obstore.list(self._backend, prefix, chunk_size=_PAGE_OBJECTS)
        while True:
            async with _translated(self._timeout):
                page = await anext(stream, None)
            if page is None:
                return
            yield [_info(meta) for meta in page]

    async def remove_unfinished(self, *, before: datetime) -> int:
        """Remove what writers that died before a time left behind; tell how many."""
        del before
        return 0

    async def _put_if_absent(self, key: str, source: bytes | Path) -> bool:
        size = await asyncio.to_thread(_size, source)
        if size > _PART_BYTES and await self._exists(key):
            return False
        try:
            # A put in parts has no condition. Writers of one key write the same bytes, and each
            # replaces the object as a whole, so that the loser of a race changes nothing.
            await obstore.put_async(
                self._backend,
                key,
                source,
                mode="create" if size <= _PART_BYTES else "overwrite",
                chunk_size=_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )
        except AlreadyExistsError:
            return False
        return True

    async def _delete(self, keys: Sequence[str]) -> None:
        await obstore.delete_async(self._backend, keys)

    async def _exists(self, key: str) -> bool:
        try:
            await obstore.head_async(self._backend, key)
        except FileNotFoundError:
            return False
        return True


class FolderObjectStore(ObjectStore):
    """A local folder that only this user may enter.

    obstore reads and lists it, but syncs nothing that it writes. Here an object is written under
    another name, synced and only then linked to its own, so that no crash leaves a key with half
    its bytes, and what was put is there after a power cut.
    """

    def __init__(self, root: Path, *, timeout: timedelta) -> None:
        """Use a folder, made if it is missing."""
        self._root = root.resolve()
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._root / _INCOMING).mkdir(mode=0o700, exist_ok=True)
        super().__init__(LocalStore(self._root), timeout=timeout)
        # Folders whose own entries in their parents are on the disk.
        self._lasting: set[Path] = {self._root}

    @override
    async def remove_unfinished(self, *, before: datetime) -> int:
        return await asyncio.to_thread(_remove_older, self._root / _INCOMING, before)

    @override
    async def _put_if_absent(self, key: str, source: bytes | Path) -> bool:
        # A thread is not cancelled, so that it always cleans up after itself.
        return await asyncio.to_thread(self._write, self._root / key, source)

    @override
    async def _delete(self, keys: Sequence[str]) -> None:
        # obstore stops at the first key that is not there.
        await asyncio.to_thread(_unlink, [self._root / key for key in keys])

    def _write(self, target: Path, source: bytes | Path) -> bool:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        absent = not target.exists() and _link(
            source, draft=self._root / _INCOMING / uuid4().hex, target=target
        )
        # Also when another writer was first: it may not have come to this yet.
        self._sync_folders(target.parent)
        return absent

    def _sync_folders(self, folder: Path) -> None:
        _sync(folder)
        while folder not in self._lasting:
            _sync(folder.parent)
            self._lasting.add(folder)
            folder = folder.parent


def open_store(settings: StorageSettings, data_dir: Path) -> ObjectStore:
    """The storage that settings name; raises `ValueError` for an address of no known kind."""
    timeout = timedelta(seconds=settings.storage_timeout_seconds)
    address = urlsplit(settings.storage_url)
    if not settings.storage_url:
        return FolderObjectStore(data_dir / "objects", timeout=timeout)
    if address.scheme == "file" and address.path and not address.netloc:
        return FolderObjectStore(Path(unquote(address.path)), timeout=timeout)
    if address.scheme == "memory":
        return ObjectStore(MemoryStore(), timeout=timeout)
    message = f"STORAGE_URL={settings.storage_url!r} is neither `file:///a/folder` nor `memory:`."
    raise ValueError(message)


@asynccontextmanager
async def _translated(patience: timedelta) -> AsyncIterator[None]:
    """Bound the block in time, and turn what goes wrong there into an answer."""
    try:
        async with asyncio.timeout(patience.total_seconds()):
            yield
    except (BaseError, OSError) as error:
        if _is_full(error):
            raise StorageFullError from error
        raise UnavailableError("The file storage does not answer.") from error


def _is_full(error: BaseError | OSError) -> bool:
    """Whether the disk, a quota or a file size limit is used up; obstore tells it in words."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    told = _OS_ERROR.search(str(error))
    return told is not None and int(told[1]) in _FULL


def _info(meta: ObjectMeta) -> ObjectInfo:
    return ObjectInfo(key=meta["path"], size=meta["size"], modified=meta["last_modified"])


def _size(source: bytes | Path) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size


def _link(source: bytes | Path, *, draft: Path, target: Path) -> bool:
    """Write and sync a draft, and give it the target's name unless that is taken."""
    try:
        _write_synced(draft, source)
        target.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def _write_synced(path: Path, source: bytes | Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if isinstance(source, bytes):
            file.write(source)
        else:
            with source.open("rb") as original:
                shutil.copyfileobj(original, file, _CHUNK_BYTES)
        file.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unlink(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _remove_older(folder: Path, before: datetime) -> int:
    removed = 0
    for path in folder.iterdir():
        # A writer may finish, and take its draft away, between any two of these steps.
        with suppress(FileNotFoundError):
            if _modified(path) < before:
                path.unlink()
                removed += 1
    return removed


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
