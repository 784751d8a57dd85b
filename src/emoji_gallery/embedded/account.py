"""The operating system account that the embedded servers run under."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emoji_gallery.embedded.errors import AccountError, UnusableFolderError

_UNPRIVILEGED: Final = "nobody"


@dataclass(frozen=True)
class Account:
    """An account by name and number."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether this process runs under the account itself."""
        return self.uid == os.geteuid()


def starter() -> Account:
    """The account of this process, the only one that may connect to the servers."""
    return _by_uid(os.geteuid())


def server_account(cluster: Path) -> Account:
    """The account for the servers of a data folder whose database files are in `cluster`.

    An ordinary user's servers run as that user. Root's run under the account that owns the
    files already, else under `nobody`: PostgreSQL refuses to run as root, with good reason.
    """
    owner = cluster.stat().st_uid if cluster.is_dir() else None
    us = starter()
    if us.uid != 0:
        if owner not in (None, us.uid):
            raise UnusableFolderError(
                f"{cluster} belongs to the account {_name_of(owner)}, not to {us.name}: run as"
                " the account that made it, or choose another folder with DATA_DIR=…"
            )
        return us
    return _by_uid(owner) if owner else _unprivileged()


def _unprivileged() -> Account:
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        raise AccountError(
            f"PostgreSQL does not run as root, and there is no account {_UNPRIVILEGED!r} to run"
            " it under: run as an ordinary user"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _by_uid(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise AccountError(
            f"the user id {uid} has no account entry on this machine, which PostgreSQL needs:"
            " run as a user that has one"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _name_of(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return f"number {uid}"
