"""The embedded servers' part of the data folder: who owns what, and one user at a time."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emoji_gallery.embedded.account import Account, server_account
from emoji_gallery.embedded.errors import FolderInUseError, UnusableFolderError
from emoji_gallery.embedded.reach import require_reachable

# sun_path holds 104 bytes on the smallest system; the longest name in the folder is
# ".s.PGSQL.5432.lock". What URLs and server options read as syntax is no part of a path here.
_SOCKET_FOLDER_LIMIT: Final = 84
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9._/-]+")

_CLUSTER: Final = "postgres"

# How long a run that is already stopping, or a mere look at the lock, may still hold it.
_LEAVE_SECONDS: Final = 3.0
_TICK_SECONDS: Final = 0.01


@dataclass(frozen=True)
class Folders:
    """Where everything of the embedded servers is, and the account that they run under."""

    account: Account
    data: Path
    cluster: Path
    valkey: Path
    sockets: Path
    config: Path
    logs: Path
    stage: Path

    def leave(self) -> None:
        """Remove what makes sense only while the servers run."""
        addresses_file(self.data).unlink(missing_ok=True)
        if self.data not in self.sockets.parents:
            shutil.rmtree(self.sockets, ignore_errors=True)


def addresses_file(data: Path) -> Path:
    """The file that tells other commands of the same account where the servers are."""
    return data / "config" / "addresses.json"


def make_data_dir(data_dir: Path) -> Path:
    """Make the data folder if it is not there; parents keep the modes that they have.

    Root's is made so that the servers' account can walk through it but not list it; where that
    account cannot come that far, nothing is made and `UnreachableFolderError` says so.
    """
    data = data_dir.resolve()
    nearest = next(place for place in (data, *data.parents) if place.is_dir())
    require_reachable(nearest, server_account(data / _CLUSTER))
    data.parent.mkdir(parents=True, exist_ok=True)
    if not data.is_dir():
        data.mkdir()
        data.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return data


@asynccontextmanager
async def only_user_of(data: Path) -> AsyncIterator[None]:
    """Hold the lock of the data folder; raises `FolderInUseError` where another run keeps it.

    The kernel gives the lock back when this process ends, however it ends.
    """
    with _lock_file(data) as descriptor:
        await _lock(descriptor, data)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield


def is_in_use(data: Path) -> bool:
    """Whether some process holds the lock of the data folder."""
    with _lock_file(data) as descriptor:
        return not _locked(descriptor, fcntl.LOCK_SH)


@contextmanager
def _lock_file(data: Path) -> Iterator[int]:
    descriptor = os.open(data / "embedded.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def _lock(descriptor: int, data: Path) -> None:
    deadline = time.monotonic() + _LEAVE_SECONDS
    while True:
        if _locked(descriptor, fcntl.LOCK_EX):
            return
        if time.monotonic() > deadline:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            raise FolderInUseError(
                f"{data} is in use by another run (process {holder}): stop that one, or choose"
                " another folder with DATA_DIR=…"
            )
        await asyncio.sleep(_TICK_SECONDS)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def prepare(data: Path) -> Folders:
    """Make the servers' folders; raises an `EmbeddedError` that names the folder in the way."""
    cluster = data / _CLUSTER
    account = server_account(cluster)
    require_reachable(data, account)
    folders = Folders(
        account=account,
        data=data,
        cluster=cluster,
        valkey=data / "valkey",
        sockets=_socket_folder(data),
        config=data / "config",
        logs=data / "logs",
        stage=data / "servers",
    )
    _own(folders.valkey, account)
    _own(folders.sockets, account)
    for folder in (folders.config, folders.logs):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)
    require_reachable(folders.sockets, account)
    return folders


def _socket_folder(data: Path) -> Path:
    """Inside the data folder where a socket's path may be so long, else in the temporary one."""
    inside = data / "run"
    if _fits(inside):
        return inside
    key = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    outside = Path(tempfile.gettempdir()).resolve() / f"emoji-gallery-{key}"
    if _fits(outside):
        return outside
    raise UnusableFolderError(
        f"neither {data} nor {outside.parent} has a path that is short and plain enough for a"
        f" socket (at most {_SOCKET_FOLDER_LIMIT} letters, digits and ._-/): choose another"
        " folder with DATA_DIR=…"
    )


def _fits(folder: Path) -> bool:
    text = str(folder)
    return len(text) <= _SOCKET_FOLDER_LIMIT and _PLAIN_PATH.fullmatch(text) is not None


def _own(folder: Path, account: Account) -> None:
    """Make `folder` for the account alone; one that is there must be just that already.

    Only a folder made a moment ago changes its owner: giving away what somebody else laid
    there, a symbolic link say, would give away whatever it points to.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        facts = folder.lstat()
        if (
            stat.S_ISDIR(facts.st_mode)
            and facts.st_uid == account.uid
            and not facts.st_mode & 0o077
        ):
            return
        raise UnusableFolderError(
            f"{folder} is there but is no folder of the account {account.name} alone: remove it"
        ) from None
    folder.chmod(0o700)
    if not account.is_ours:
        os.chown(folder, account.uid, account.gid)
