"""Folders that the servers of one test may use."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from emoji_gallery.embedded.folders import make_data_dir
from emoji_gallery.embedded.parts import embedded_parts
from tests.parts import server_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder."""
    with server_folder() as place:
        yield place


@pytest.fixture(scope="session")
def used_data() -> Iterator[Path]:
    """A data folder that has been in use once; tests take copies of it."""
    with server_folder() as place:
        asyncio.run(_use(place / "data"))
        yield place / "data"


@pytest.fixture
def data(folder: Path, used_data: Path) -> Path:
    """A data folder with a database, which is copied faster than made."""
    copy = make_data_dir(folder / "data")
    cluster = used_data / "postgres"
    shutil.copytree(cluster, copy / "postgres")
    owner = cluster.stat()
    for place in (copy / "postgres", *(copy / "postgres").rglob("*")):
        os.chown(place, owner.st_uid, owner.st_gid)
    return copy


async def _use(data: Path) -> None:
    async with embedded_parts(data, durability="fast"):
        pass
