"""`GET /gallery?limit=50`, anonymous: kept bytes against the limit, and against no cache."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx

from bench.load import Target, interleaved, ratio
from emoji_gallery.embedded.parts import addresses_of_running
from tests.parts import server_folder
from tests.service import COMMAND, environment, free_port, started_service
from tests.waiting import blocking_until

_PAGE: Final = "/gallery?limit=50"
_ROUNDS: Final = 5
_SECONDS: Final = 4
_NO_LIMIT: Final = "10000000"

# Both services are run as behind a proxy that logs requests itself.
_QUIET: Final = {"LOG_REQUESTS": "failures"}


def run() -> None:
    """Print requests a second of each, then the ratios."""
    with ExitStack() as stack:
        folder = stack.enter_context(server_folder())
        data = folder / "data"
        with started_service(data, **_QUIET):
            lift_limits(data)
        kept = stack.enter_context(started_service(data, **_QUIET))
        uncached = stack.enter_context(_uncached_service(data, folder / "uncached"))
        page = httpx.get(kept.url + _PAGE).raise_for_status().content
        assert page == httpx.get(uncached + _PAGE).raise_for_status().content
        bare = stack.enter_context(_bare_server(page))
        targets = [
            Target("gallery page, kept", kept.url + _PAGE, {}),
            Target("bare ASGI, same bytes", bare, {}),
            Target("gallery page, cache off", uncached + _PAGE, {}),
        ]
        ours, limit, without = interleaved(targets, rounds=_ROUNDS, seconds=_SECONDS)
    print(f"\n{len(page):,} bytes a page, {_ROUNDS} rounds of {_SECONDS} s, 32 connections")
    for rates in (ours, limit, without):
        print(rates.row())
    print(ratio(ours, limit))
    print(ratio(ours, without))


def lift_limits(data: Path) -> None:
    """Let one address read as much as it can; the limiter still counts every request."""
    subprocess.run(
        [COMMAND, "tiers", "set", "free", "--anonymous-reads-per-minute", _NO_LIMIT],
        env=environment(data),
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def _uncached_service(data: Path, own: Path) -> Iterator[str]:
    """A second process on the same database and Valkey that keeps no pages."""
    addresses = addresses_of_running(data)
    assert addresses is not None
    own.mkdir()
    (own / "secret").write_bytes((data / "secret").read_bytes())
    servers = {"DATABASE_URL": addresses.database_url, "REDIS_URL": addresses.redis_url}
    with started_service(own, CACHE_MIB="0", **servers, **_QUIET) as service:
        yield service.url


@contextmanager
def _bare_server(body: bytes) -> Iterator[str]:
    """One worker of granian with an application that only sends these bytes."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    granian = str(Path(sys.executable).with_name("granian"))
    options = [
        "--interface",
        "asginl",
        "--workers",
        "1",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "body"
        file.write_bytes(body)
        settings = {**os.environ, "BENCH_BODY": str(file)}
        with subprocess.Popen([granian, *options, "bench.bare:app"], env=settings) as process:
            try:
                blocking_until(lambda: _answers(url), within=20)
                yield url
            finally:
                process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1).is_success
    except httpx.TransportError:
        return False
