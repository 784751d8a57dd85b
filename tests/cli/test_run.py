"""`emoji-gallery run` as a newcomer meets it: a process, its output, signals."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import pytest
from typer.testing import CliRunner

from emoji_gallery.cli.main import app
from emoji_gallery.cli.welcome import SAMPLE
from emoji_gallery.embedded.process import working_in
from tests.parts import server_folder
from tests.service import (
    COMMAND,
    Service,
    answers,
    environment,
    free_port,
    prepare_without_pack,
    running_service,
    started_service,
)
from tests.waiting import blocking_until

# Each start takes seconds where the machine is free, and many where it is not.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """One service for the tests that leave it as it is."""
    with running_service() as running:
        yield running


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder that a test may start, stop and kill services on."""
    with server_folder() as folder:
        prepare_without_pack(folder / "data")
        yield folder / "data"


def _paste(line: str) -> httpx.Response:
    """What curl does with a line of the welcome, which a machine without curl can do too."""
    words = iter(shlex.split(line))
    assert next(words) == "curl"
    headers, files, address = {}, {}, ""
    for word in words:
        if word == "-H":
            name, value = next(words).split(": ", 1)
            headers[name] = value
        elif word == "-F":
            field, path = next(words).split("=@", 1)
            files[field] = Path(path.strip('"')).read_bytes()
        else:
            address = word
    method = "POST" if files else "GET"
    return httpx.request(method, address, headers=headers, files=files or None, timeout=30)


def _lines_to_paste(service: Service) -> list[str]:
    return [line for line in service.said().splitlines() if line.startswith("curl ")]


def _nothing_runs_on(data_dir: Path) -> bool:
    return not working_in("postgres", data_dir / "postgres") and not working_in(
        "valkey-server", data_dir / "valkey"
    )


def _refusal(data_dir: Path, *options: str, **settings: str) -> str:
    """The one line with which a run is refused, on standard error."""
    answer = subprocess.run(
        [COMMAND, "run", *options],
        env=environment(data_dir, settings),
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1, answer.stderr
    return answer.stderr


def test_lines_of_the_welcome_work_when_pasted(service: Service) -> None:
    browse, upload, mine = map(_paste, _lines_to_paste(service))
    assert (browse.status_code, upload.status_code, mine.status_code) == (200, 201, 200)
    assert upload.json()["bytes"] == SAMPLE.stat().st_size
    assert [item["id"] for item in mine.json()["items"]] == [upload.json()["id"]]
    assert service.url in service.said()


def test_three_demo_users_are_on_three_tiers(service: Service) -> None:
    said = service.said().splitlines()
    for tier in ("free", "premium", "business"):
        token = said[said.index(f"  demo-{tier}") + 1]
        me = httpx.get(f"{service.url}/me", headers={"Authorization": f"Bearer {token}"})
        assert (me.json()["user_id"], me.json()["tier"]) == (f"demo-{tier}", tier)


def test_second_run_on_the_same_data_is_refused_in_one_line(service: Service) -> None:
    line = _refusal(service.data_dir, "--port", str(free_port()))
    assert f"is in use by another run (process {service.process.pid})" in line


def test_every_start_has_what_was_uploaded_however_the_run_before_ended(data_dir: Path) -> None:
    with started_service(data_dir) as first:
        uploaded = _paste(_lines_to_paste(first)[1]).json()["id"]
        assert first.stop(signal.SIGINT) == 0
        assert _nothing_runs_on(data_dir)
    with started_service(data_dir) as second:
        assert _ids(_paste(_lines_to_paste(second)[2])) == [uploaded]
        assert second.stop(signal.SIGKILL) == -signal.SIGKILL
    with started_service(data_dir) as third:
        assert _ids(_paste(_lines_to_paste(third)[2])) == [uploaded]
        assert third.stop(signal.SIGTERM) == 0
        assert _nothing_runs_on(data_dir)


def test_run_ends_with_the_program_that_started_it(data_dir: Path) -> None:
    port = free_port()
    run = shlex.join([COMMAND, "run", "--port", str(port), "--end-with-parent"])
    with subprocess.Popen(
        ["sh", "-c", f"{run} & echo $!; wait"],
        env=environment(data_dir),
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdout is not None
        pid = int(shell.stdout.readline())
        blocking_until(lambda: answers(port), within=60)
        shell.kill()
    blocking_until(lambda: not _lives(pid), within=60)
    assert _nothing_runs_on(data_dir)


def test_busy_port_is_refused_in_one_line_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = _refusal(tmp_path / "data", PORT=str(port))
    assert line == f"Error: port {port} is in use: choose another with PORT=…\n"
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PORT", "many", "Error: PORT: Input should be a valid integer"),
        ("ROLE", "king", "Error: ROLE='king' is not a list of roles"),
        ("SECRET_KEY", "short", "Error: SECRET_KEY has 5 characters"),
    ],
)
def test_setting_that_cannot_hold_is_named_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(app, ["run", "--data-dir", str(tmp_path / "data")])
    assert answer.exit_code == 1
    assert answer.stderr.startswith(reason)
    assert answer.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def _ids(answer: httpx.Response) -> list[str]:
    return [item["id"] for item in answer.json()["items"]]


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
