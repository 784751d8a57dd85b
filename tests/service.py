"""A whole service in processes of its own, started as a newcomer starts it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from emoji_gallery.embedded.parts import embedded_parts
from emoji_gallery.gallery.models import packs
from emoji_gallery.kit.clock import utc_now
from emoji_gallery.kit.database import DatabaseSettings, connect
from emoji_gallery.kit.migrations import migrate
from emoji_gallery.kit.typeids import new_uuid
from tests.parts import server_folder
from tests.waiting import blocking_until

COMMAND: Final = str(Path(sys.executable).with_name("emoji-gallery"))

# The first start may make a database and import a pack of thousands of pictures.
_START_SECONDS: Final = 300.0
_STOP_SECONDS: Final = 60.0
_HOST: Final = "127.0.0.1"


@dataclass(frozen=True)
class Service:
    """A service that answers at `url` and keeps everything in `data_dir`."""

    port: int
    data_dir: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{_HOST}:{self.port}"

    def token(self, user: str, tier: str, *options: str) -> str:
        """A token of a user, as the command line gives it."""
        command = [COMMAND, "token", user, "--tier", tier, *options]
        answer = subprocess.run(
            command, env=environment(self.data_dir), capture_output=True, check=True, text=True
        )
        return answer.stdout.strip()

    def said(self) -> str:
        """What it has written to its standard output."""
        return _output(self.data_dir).read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status; the service may be gone already."""
        self.process.send_signal(number)
        return self.process.wait(_STOP_SECONDS)


@contextmanager
def running_service() -> Iterator[Service]:
    """A service with an empty gallery on a free port; all of it is gone after the block."""
    with server_folder() as folder:
        prepare_without_pack(folder / "data")
        with started_service(folder / "data", LOG_LEVEL="error") as service:
            yield service


@contextmanager
def started_service(data_dir: Path, **settings: str) -> Iterator[Service]:
    """A service on a data folder that may be there already; stopped after the block."""
    port = free_port()
    command = [COMMAND, "run", "--port", str(port)]
    with (
        _output(data_dir).open("wb") as output,
        subprocess.Popen(command, env=environment(data_dir, settings), stdout=output) as process,
    ):
        service = Service(port, data_dir, process)
        try:
            blocking_until(lambda: is_ready(service), within=_START_SECONDS)
            yield service
        finally:
            service.stop()


def prepare_without_pack(data_dir: Path) -> None:
    """Make a data folder whose service believes that it has the in-house pack already.

    Its thousands of emojis take a minute to import, and most tests look at none of them.
    """
    asyncio.run(_prepare(data_dir))


def is_ready(service: Service) -> bool:
    """Whether it takes requests; fails the test when it has ended instead."""
    status = service.process.poll()
    assert status is None, f"the service ended with status {status}"
    return answers(service.port)


def answers(port: int) -> bool:
    """Whether a service on the port says that it is ready; cheap enough to be asked often."""
    connection = HTTPConnection(_HOST, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def environment(data_dir: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without settings that a person may have made for a service."""
    cleared = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "JWKS_URL", "PORT", "HOST", "ROLE")
    ours = {name: value for name, value in os.environ.items() if name not in cleared}
    return {**ours, "DATA_DIR": str(data_dir), **(settings or {})}


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server((_HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def _prepare(data_dir: Path) -> None:
    async with embedded_parts(data_dir, durability="fast") as parts:
        settings = DatabaseSettings(database_url=parts.database_url)
        database = connect(settings, application_name="tests")
        await migrate(database)
        row = {"name": "openmoji", "label": "OpenMoji", "licence": "none", "attribution": "none"}
        async with database.transaction() as tx:
            await tx.execute(packs.insert(), {**row, "id": new_uuid(), "created_at": utc_now()})
        await database.close()


def _output(data_dir: Path) -> Path:
    return data_dir.with_name(f"{data_dir.name}.out")
