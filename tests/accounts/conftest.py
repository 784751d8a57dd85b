"""Fixtures of the tests of accounts."""

from __future__ import annotations

import pytest

from tests.accounts.clocks import Time


@pytest.fixture
def time() -> Time:
    return Time()
