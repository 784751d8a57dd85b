from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from emoji_gallery.embedded.account import server_account, starter
from emoji_gallery.embedded.errors import AccountError, UnusableFolderError

_UID_OF_NOBODY_IN_PARTICULAR = 3_999_999_999


def _run_as(monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)


def _owned_by(monkeypatch: pytest.MonkeyPatch, folder: Path, uid: int) -> None:
    facts = [*folder.stat()]
    facts[4] = uid
    monkeypatch.setattr(Path, "is_dir", lambda _self: True)
    monkeypatch.setattr(Path, "stat", lambda _self: os.stat_result(facts))


def test_servers_of_root_run_unprivileged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _run_as(monkeypatch, 0)
    assert server_account(tmp_path / "none").name == "nobody"


def test_servers_of_root_run_as_the_owner_of_their_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    daemon = pwd.getpwnam("daemon")
    _owned_by(monkeypatch, tmp_path, daemon.pw_uid)
    _run_as(monkeypatch, 0)
    assert server_account(tmp_path).uid == daemon.pw_uid


def test_servers_of_an_ordinary_user_run_as_that_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    daemon = pwd.getpwnam("daemon")
    _run_as(monkeypatch, daemon.pw_uid)
    assert server_account(tmp_path / "none") == starter()
    assert starter().name == "daemon"


def test_files_of_another_account_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _owned_by(monkeypatch, tmp_path, pwd.getpwnam("nobody").pw_uid)
    _run_as(monkeypatch, pwd.getpwnam("daemon").pw_uid)
    with pytest.raises(UnusableFolderError, match="belongs to the account nobody, not to daemon"):
        server_account(tmp_path)


def test_files_of_an_account_that_is_gone_are_refused_by_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _owned_by(monkeypatch, tmp_path, _UID_OF_NOBODY_IN_PARTICULAR)
    _run_as(monkeypatch, pwd.getpwnam("daemon").pw_uid)
    with pytest.raises(UnusableFolderError, match=f"number {_UID_OF_NOBODY_IN_PARTICULAR}"):
        server_account(tmp_path)


def test_user_without_an_account_entry_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _run_as(monkeypatch, _UID_OF_NOBODY_IN_PARTICULAR)
    with pytest.raises(AccountError, match="no account entry"):
        server_account(tmp_path / "none")


def test_root_without_an_unprivileged_account_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nowhere(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    _run_as(monkeypatch, 0)
    monkeypatch.setattr(pwd, "getpwnam", nowhere)
    with pytest.raises(AccountError, match="run as an ordinary user"):
        server_account(tmp_path / "none")
