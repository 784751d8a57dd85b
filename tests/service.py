"""A whole service in processes of its own, started as a newcomer starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.parts import server_folder
from tests.waiting import blocking_until

COMMAND: Final = str(Path(sys.executable).with_name("emoji-gallery"))

# The first start makes a database and imports a pack of thousands of pictures.
_START_SECONDS: Final = 180.0
_STOP_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Service:
    """A service that answers at `url` and keeps everything in `data_dir`."""

    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]

    def token(self, user: str, tier: str, *options: str) -> str:
        """A token of a user, as the command line gives it."""
        command = [COMMAND, "token", user, "--tier", tier, *options]
        answer = subprocess.run(
            command, env=environment(self.data_dir), capture_output=True, check=True, text=True
        )
        return answer.stdout.strip()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status; the service may be gone already."""
        self.process.send_signal(number)
        return self.process.wait(_STOP_SECONDS)


@contextmanager
def running_service() -> Iterator[Service]:
    """A service on a free port with data of its own; both are gone after the block."""
    with server_folder() as folder, started_service(folder / "data") as service:
        yield service


@contextmanager
def started_service(data_dir: Path, **settings: str) -> Iterator[Service]:
    """A service on a data folder that may be there already; stopped after the block."""
    port = free_port()
    command = [COMMAND, "run", "--port", str(port)]
    with subprocess.Popen(command, env=environment(data_dir, settings)) as process:
        service = Service(f"http://127.0.0.1:{port}", data_dir, process)
        try:
            blocking_until(lambda: _is_ready(service), within=_START_SECONDS)
            yield service
        finally:
            service.stop()


def environment(data_dir: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without settings that a person may have made for a service."""
    cleared = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "JWKS_URL", "PORT", "HOST", "ROLE")
    ours = {name: value for name, value in os.environ.items() if name not in cleared}
    return {**ours, "DATA_DIR": str(data_dir), **(settings or {})}


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _is_ready(service: Service) -> bool:
    status = service.process.poll()
    assert status is None, f"the service ended with status {status}"
    try:
        return httpx.get(f"{service.url}/health/ready", timeout=5).is_success
    except httpx.TransportError:
        return False
