"""Files on their way in: a bounded folder of which nothing outlives its request.

Every process has a folder of its own below the root and holds a lock in it. A folder whose lock
is free belonged to a process that died: the next one to start removes it.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.errors import UnavailableError
from emoji_gallery.kit.objects import StorageFullError

# Only folders of such names are ever removed: an operator may share the root with anything.
_FOLDER_PREFIX: Final = "emoji-uploads-"
_LOCK_NAME: Final = "in-use"
_RETRY_SECONDS: Final = 5
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
# Hashing and writing happen in a thread, this many bytes at a time: measured on two cores with
# 16 uploads of 10 MiB at once, that was faster than doing it on the event loop and kept the loop's
# lag at a few milliseconds; smaller pieces lost the gain to the changes of thread.
_BATCH_BYTES: Final = 256 * 1024


class Spool:
    """Room for files on their way in through one process; usable while `running`."""

    def __init__(self, root: Path, *, max_bytes: int) -> None:
        """Use a folder, shared with other processes, for at most `max_bytes` of this one."""
        self._root = root
        self._free_bytes = max_bytes
        self._folder: Path | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take a folder for this process, after removing those of processes that died."""
        folder, lock = await asyncio.to_thread(_take_folder, self._root)
        self._folder = folder
        try:
            yield
        finally:
            self._folder = None
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            os.close(lock)

    @asynccontextmanager
    async def file(self) -> AsyncIterator[SpoolFile]:
        """Lend a new file; it is gone when the block ends, however it ends."""
        if self._folder is None:
            message = "the spool is not running"
            raise RuntimeError(message)
        file = SpoolFile(self, self._folder / uuid4().hex)
        try:
            yield file
        finally:
            await asyncio.shield(file.discard())

    @property
    def free_bytes(self) -> int:
        """How much room there is."""
        return self._free_bytes

    def reserve(self, size: int) -> None:
        """Take room; raises `UnavailableError` when there is too little."""
        if size > self._free_bytes:
            raise UnavailableError("Too many uploads at once.", retry_after=_RETRY_SECONDS)
        self._free_bytes -= size

    def release(self, size: int) -> None:
        """Give room back."""
        self._free_bytes += size


class SpoolFile:
    """One file being received: written in order, hashed on the way."""

    def __init__(self, spool: Spool, path: Path) -> None:
        """Nothing is written before the first bytes come."""
        self.path = path
        self.size = 0
        self._spool = spool
        self._reserved = 0
        self._waiting = bytearray()
        self._drain = _Drain(path)

    async def write(self, data: bytes) -> None:
        """Append bytes; raises `UnavailableError` without room, `StorageFullError` on a full disk.

        After either the file is of no use.
        """
        self._spool.reserve(len(data))
        self._reserved += len(data)
        self.size += len(data)
        self._waiting += data
        if len(self._waiting) >= _BATCH_BYTES:
            await self._flush()

    async def finish(self) -> Digest:
        """Put all bytes where `path` reads them; returns the SHA-256 of them."""
        await self._flush()
        return Digest(self._drain.hash.hexdigest())

    async def discard(self) -> None:
        """Remove the file and give its room back; doing it twice changes nothing."""
        self._waiting.clear()
        await asyncio.to_thread(self._drain.remove)
        self._spool.release(self._reserved)
        self._reserved = 0

    async def _flush(self) -> None:
        batch, self._waiting = self._waiting, bytearray()
        try:
            await asyncio.to_thread(self._drain.append, batch)
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFullError from error
            raise


class _Drain:
    """The blocking half of a file, used from threads.

    A request that is cancelled leaves its thread running, so appending and removing exclude each
    other, and nothing is appended after the removal.
    """

    def __init__(self, path: Path) -> None:
        self.hash = hashlib.sha256()
        self._path = path
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._removed = False

    def append(self, batch: bytearray) -> None:
        with self._lock:
            if self._removed:
                return
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self.hash.update(batch)
            rest = memoryview(batch)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def remove(self) -> None:
        with self._lock:
            self._removed = True
            if self._descriptor is None:
                return
            os.close(self._descriptor)
            self._descriptor = None
            self._path.unlink(missing_ok=True)


def _take_folder(root: Path) -> tuple[Path, int]:
    """Make and lock a folder below `root`, where no other process looks round meanwhile."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(root):
        for leftover in root.glob(f"{_FOLDER_PREFIX}*"):
            if not _in_use(leftover):
                shutil.rmtree(leftover)
        folder = root / f"{_FOLDER_PREFIX}{uuid4().hex}"
        folder.mkdir(mode=0o700)
        lock = os.open(folder / _LOCK_NAME, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return folder, lock


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _in_use(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK_NAME, os.O_WRONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(lock)
