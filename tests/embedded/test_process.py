from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emoji_gallery.embedded import process as processes
from emoji_gallery.embedded.account import starter
from emoji_gallery.embedded.errors import StopError
from emoji_gallery.embedded.process import ServerProcess, end_leftovers, working_in
from tests.waiting import eventually


def _python(script: str, log: Path, *, stdin: bytes = b"") -> ServerProcess:
    return ServerProcess(
        [sys.executable, "-c", script],
        account=starter(),
        log=log,
        death_signal=signal.SIGKILL,
        stdin=stdin,
    )


async def test_server_reads_its_settings_and_writes_to_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    server = _python("print(input() + '!')", log, stdin=b"hello\n")
    assert await server.finished(within=30)
    assert server.exit_code == 0
    assert log.read_text() == "hello!\n"


async def test_complaint_is_the_last_fatal_line_since_the_start_with_its_details(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    log.write_text("FATAL: of an earlier run\n")
    server = _python("print('LOG: begin'); print('FATAL: no room'); print('  HINT: tidy')", log)
    assert await server.finished(within=30)
    assert server.complaint() == "FATAL: no room HINT: tidy"


async def test_silent_server_has_no_complaint(tmp_path: Path) -> None:
    server = _python("", tmp_path / "log")
    assert await server.finished(within=30)
    assert server.complaint() == "it wrote nothing"


async def test_server_runs_in_a_session_of_its_own_without_our_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGDATA", "/elsewhere")
    log = tmp_path / "log"
    script = "import os; print(os.getsid(0) == os.getpid(), 'PGDATA' in os.environ)"
    server = _python(script, log)
    assert await server.finished(within=30)
    assert log.read_text() == "True False\n"


async def test_server_that_ignores_the_gentle_signal_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        " print('deaf', flush=True); signal.pause()"
    )
    server = _python(script, log)
    await eventually(lambda: log.read_text() == "deaf\n", within=30)
    await server.end([(signal.SIGTERM, 0.1)])
    assert server.exit_code == -signal.SIGKILL


async def test_server_that_cannot_be_ended_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "_KILL_SECONDS", 0.05)
    server = _python("import signal; signal.pause()", tmp_path / "log")
    monkeypatch.setattr(server, "_process", _Undying())
    with pytest.raises(StopError, match="does not end"):
        await server.end([])
    monkeypatch.undo()
    await server.end([])


async def test_left_over_that_cannot_be_ended_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "_KILL_SECONDS", 0.05)
    monkeypatch.setattr(processes, "working_in", lambda _program, _folder: [_Undying()])
    with pytest.raises(StopError, match="still works in"):
        await end_leftovers("postgres", tmp_path, leader=None, signals=())


async def test_other_programs_in_the_folder_are_strangers(folder: Path) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=folder) as stranger:  # noqa: ASYNC220
        assert working_in("postgres", folder) == []
        await end_leftovers("postgres", folder, leader=stranger.pid, signals=())
        assert stranger.poll() is None
        stranger.kill()


async def test_long_log_is_put_aside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "_LOG_LIMIT_BYTES", 10)
    log = tmp_path / "server.log"
    log.write_text("many lines of earlier runs")
    server = _python("print('new')", log)
    assert await server.finished(within=30)
    assert log.read_text() == "new\n"
    assert (tmp_path / "server.old.log").read_text() == "many lines of earlier runs"


class _Undying:
    """A process stuck in the kernel, which no signal reaches; none can be made on demand."""

    pid = 1

    def poll(self) -> None:
        """Never ended."""

    def send_signal(self, number: int) -> None:
        """Take no notice."""
