from __future__ import annotations

import os
from pathlib import Path

import pytest

from emoji_gallery.embedded.account import Account
from emoji_gallery.embedded.errors import UnreachableFolderError
from emoji_gallery.embedded.parts import embedded_parts
from emoji_gallery.embedded.reach import first_closed

_STRANGER = Account("stranger", uid=3_999_999_999, gid=3_999_999_999)


@pytest.fixture
def open_folder(folder: Path) -> Path:
    """A folder that every account can walk through."""
    folder.chmod(0o711)
    return folder


def test_open_way_is_open_to_everybody(open_folder: Path) -> None:
    assert first_closed(open_folder, _STRANGER) is None


def test_outermost_closed_folder_is_named(open_folder: Path) -> None:
    outer = open_folder / "outer"
    (outer / "inner").mkdir(parents=True)
    (outer / "inner").chmod(0o700)
    outer.chmod(0o750)
    assert first_closed(outer / "inner", _STRANGER) == outer


def test_group_and_owner_are_judged_by_their_own_bits(open_folder: Path) -> None:
    place = open_folder / "place"
    place.mkdir()
    facts = place.stat()
    member = Account("member", uid=_STRANGER.uid, gid=facts.st_gid)
    place.chmod(0o701)
    assert first_closed(place, member) == place
    place.chmod(0o710)
    assert first_closed(place, member) is None


def test_root_gets_everywhere(folder: Path) -> None:
    folder.chmod(0o700)
    assert first_closed(folder, Account("root", uid=0, gid=0)) is None


async def test_closed_folder_above_the_data_is_named_in_one_line_and_stays_closed(
    monkeypatch: pytest.MonkeyPatch, open_folder: Path
) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UnreachableFolderError) as refusal:
        async with embedded_parts(closed / "data", durability="fast"):
            pass
    assert str(refusal.value) == (
        "started by root, PostgreSQL and Valkey run under the account 'nobody', which cannot"
        f" enter {closed} (mode 0700): run as an ordinary user, or choose a data folder that"
        " 'nobody' can reach with DATA_DIR=…"
    )
    assert closed.stat().st_mode & 0o777 == 0o700
    assert list(closed.iterdir()) == []
