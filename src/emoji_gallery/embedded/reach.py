"""Whether an account can get to a folder or program, judged by mode bits on the way there.

Folders are never opened to an account: where one is closed, the caller says so and stops.
"""

from __future__ import annotations

import stat
from pathlib import Path

from emoji_gallery.embedded.account import Account
from emoji_gallery.embedded.errors import UnreachableFolderError


def first_closed(path: Path, account: Account) -> Path | None:
    """The outermost folder on the way to `path`, or `path` itself, that `account` cannot enter.

    `path` exists and has no symbolic links in it.
    """
    for place in [*reversed(path.parents), path]:
        if not _may_enter(place, account):
            return place
    return None


def require_reachable(path: Path, account: Account) -> None:
    """Raise `UnreachableFolderError` unless `account` can get to `path`."""
    closed = first_closed(path, account)
    if closed is None:
        return
    mode = stat.S_IMODE(closed.stat().st_mode)
    raise UnreachableFolderError(
        f"started by root, PostgreSQL and Valkey run under the account {account.name!r}, which"
        f" cannot enter {closed} (mode {mode:04o}): run as an ordinary user, or choose a data"
        f" folder that {account.name!r} can reach with DATA_DIR=…"
    )


def _may_enter(place: Path, account: Account) -> bool:
    facts = place.stat()
    if account.uid == 0:
        return True
    if account.uid == facts.st_uid:
        return bool(facts.st_mode & stat.S_IXUSR)
    if account.gid == facts.st_gid:
        return bool(facts.st_mode & stat.S_IXGRP)
    return bool(facts.st_mode & stat.S_IXOTH)
