"""Starts and ends one server as a child process, and finds what an earlier run left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]

from emoji_gallery.embedded import launcher
from emoji_gallery.embedded.account import Account
from emoji_gallery.embedded.errors import StopError

# How often a condition is looked at, in seconds.
TICK: Final = 0.01

# A server sees none of our environment: PGDATA, LD_LIBRARY_PATH or LANG of the person who
# starts it would change what it does.
_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_LOG_LIMIT_BYTES: Final = 1 << 20
_COMPLAINT_LIMIT: Final = 500

# What SIGKILL needs where the machine is busy.
_KILL_SECONDS: Final = 10.0


class ServerProcess:
    """A server that runs in a session of its own, so that Ctrl-C reaches us and not it.

    The kernel sends it `death_signal` when the thread that made this object ends: make it in
    a thread that lives as long as the server shall.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        account: Account,
        log: Path,
        death_signal: signal.Signals,
        stdin: bytes = b"",
    ) -> None:
        """Start `command` with its output appended to `log` and `stdin` on standard input."""
        _trim(log)
        wish = (os.getpid(), int(death_signal), account.uid, account.gid)
        with log.open("ab") as output:
            self._log_start = output.tell()
            self._process = subprocess.Popen(  # noqa: S603 - our own wheels' programs
                [sys.executable, "-I", "-S", launcher.__file__, *map(str, wish), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd="/",
                env=_ENVIRONMENT,
                start_new_session=True,
            )
        self._log = log
        with self._process.stdin or open(os.devnull, "wb") as pipe:  # noqa: PTH123
            pipe.write(stdin)

    @property
    def pid(self) -> int:
        """The server's process id; the launcher becomes the server under the same id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative where a signal ended it."""
        return self._process.poll()

    def complaint(self) -> str:
        """What it wrote since its start that explains best why it ended, as one line."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines() or ["it wrote nothing"]
        fatal = [number for number, line in enumerate(lines) if "FATAL" in line]
        # What follows the last fatal line are its details.
        explanation = " ".join(line.strip() for line in lines[fatal[-1] if fatal else -1 :])
        return explanation[:_COMPLAINT_LIMIT]

    async def finished(self, *, within: float) -> bool:
        """Wait at most `within` seconds for its end; False where it still runs."""
        deadline = time.monotonic() + within
        while self.exit_code is None:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(TICK)
        return True

    async def end(self, signals: Sequence[tuple[signal.Signals, float]]) -> None:
        """Send each signal and wait its seconds, then kill; return when it has ended."""
        for number, patience in [*signals, (signal.SIGKILL, _KILL_SECONDS)]:
            if self.exit_code is None:
                self._process.send_signal(number)
            if await self.finished(within=patience):
                return
        raise StopError(f"process {self.pid} does not end; its log is {self._log}")


async def end_leftovers(
    program: str,
    folder: Path,
    *,
    leader: int | None,
    signals: Sequence[tuple[signal.Signals, float]],
) -> None:
    """End the servers that an earlier run left on `folder`; strangers are never touched.

    A left-over is a process that runs `program` *and* works in `folder`, which both of our
    servers make their working directory. The one with the id `leader`, if it is one of them,
    is told first and takes its children along; those of a dead leader end by themselves, as
    signals mean other things to them. What is left after the time for each signal is killed.
    """
    for number, patience in signals:
        for process in working_in(program, folder):
            if process.pid == leader:
                _send(process, number)
        if await _all_gone(program, folder, within=patience):
            return
    for process in working_in(program, folder):
        _send(process, signal.SIGKILL)
    if not await _all_gone(program, folder, within=_KILL_SECONDS):
        raise StopError(f"an earlier run's {program} still works in {folder} and does not end")


def working_in(program: str, folder: Path) -> list[psutil.Process]:
    """The living processes of `program` whose working directory is `folder`."""
    return [process for process in psutil.process_iter() if _is(process, program, folder)]


def _is(process: psutil.Process, program: str, folder: Path) -> bool:
    try:
        return (
            process.name() == program
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.exe()).name == program
            and Path(process.cwd()) == folder
        )
    except (psutil.Error, OSError):
        # It ended meanwhile, or it is another account's and so not ours.
        return False


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


async def _all_gone(program: str, folder: Path, *, within: float) -> bool:
    deadline = time.monotonic() + within
    while working_in(program, folder):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(TICK)
    return True


def _trim(log: Path) -> None:
    """Keep the log of the runs before, but not for ever."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".old.log"))
