"""The product as a newcomer starts it, with the whole in-house pack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.parts import server_folder
from tests.service import Service, started_service
from tests.system.scenario import MainJob


@pytest.fixture
def service() -> Iterator[Service]:
    with server_folder() as folder, started_service(folder / "data") as service:
        yield service


@pytest.mark.timeout(300)
def test_the_main_job_from_end_to_end(service: Service) -> None:
    MainJob(service.url, service.token).play()
