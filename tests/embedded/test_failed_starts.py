"""Servers that do not come up are reported, and do not stay half up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from emoji_gallery.embedded import launcher, postgres, valkey
from emoji_gallery.embedded.errors import StartError
from emoji_gallery.embedded.process import working_in
from tests.embedded.servers import servers_on


async def test_valkey_that_refuses_to_start_is_reported_in_its_own_words(data: Path) -> None:
    server = replace(servers_on(data).valkey, folder=data / "missing")
    with pytest.raises(StartError, match=r"Valkey did not start: .*No such file or directory"):
        await server.start()
    assert not server.running


async def test_valkey_that_is_too_slow_is_stopped(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setattr(valkey, "_START_SECONDS", 0.0)
    server = servers_on(data).valkey
    with pytest.raises(StartError, match="Valkey did not answer in 0 s"):
        await server.start()
    assert server.pid is None
    assert not working_in("valkey-server", data / "valkey")


async def test_postgres_that_is_too_slow_is_stopped(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setattr(postgres, "_START_SECONDS", 0.0)
    server = servers_on(data).postgres
    with pytest.raises(StartError, match="PostgreSQL was not ready in 0 s"):
        await server.start()
    assert server.pid is None
    assert not working_in("postgres", data / "postgres")


async def test_failed_making_of_the_files_leaves_no_cluster(folder: Path) -> None:
    server = servers_on(folder / "data").postgres
    broken = replace(server.binaries, initdb=Path("/bin/false"))
    with pytest.raises(StartError, match="files were not made: it wrote nothing"):
        await replace(server, binaries=broken).start()
    assert not server.cluster.exists()


def test_server_of_a_parent_that_is_gone_is_not_started() -> None:
    stranger = str(os.getpid() + 1)
    words = [stranger, str(int(signal.SIGTERM)), str(os.geteuid()), str(os.getegid())]
    answer = subprocess.run(
        [sys.executable, "-m", launcher.__name__, *words, "/bin/echo", "started"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == f"process {stranger} ended before its server started\n"
