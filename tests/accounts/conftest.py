"""Fixtures of the tests of accounts."""

from __future__ import annotations

import pytest

from emoji_gallery.kit.database import Database
from tests.accounts.clocks import Time
from tests.accounts.world import World, world_of


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def world(database: Database, time: Time) -> World:
    return world_of(database, time)
