"""A folder that the servers of one test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import server_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with server_folder() as place:
        yield place
