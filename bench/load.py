"""Load from wrk: requests a second of one address, and what went wrong meanwhile."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

_CONNECTIONS: Final = 32
_RATE = re.compile(r"Requests/sec:\s+([0-9.]+)")
_REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_SOCKET_ERRORS = re.compile(r"Socket errors: (.*)")


class MissingToolError(SystemExit):
    """The load generator is not installed."""


@dataclass(frozen=True)
class Target:
    """An address to load, under the name that the report gives it."""

    name: str
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Rates:
    """Requests a second of one target, a figure for each round."""

    target: Target
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure to quote."""
        return median(self.rounds)

    def row(self) -> str:
        """The median and the spread, in a line."""
        low, high = min(self.rounds), max(self.rounds)
        return f"{self.median:10,.0f} requests/s ({low:,.0f} to {high:,.0f})  {self.target.name}"


def interleaved(targets: list[Target], *, rounds: int, seconds: int) -> list[Rates]:
    """Load the targets in turn, round by round, so that the machine's moods hit all alike."""
    for target in targets:
        _requests_per_second(target, seconds=1)
    measured: dict[str, list[float]] = {target.name: [] for target in targets}
    for number in range(rounds):
        for target in targets:
            print(f"round {number + 1}/{rounds}: {target.name}", flush=True)
            measured[target.name].append(_requests_per_second(target, seconds=seconds))
    return [Rates(target, tuple(measured[target.name])) for target in targets]


def ratio(ours: Rates, theirs: Rates) -> str:
    """Ours as a multiple of theirs: the median of the rounds' ratios, and their spread."""
    ratios = [a / b for a, b in zip(ours.rounds, theirs.rounds, strict=True)]
    return (
        f"{median(ratios):6.2f} x ({min(ratios):.2f} to {max(ratios):.2f})  "
        f"{ours.target.name} against {theirs.target.name}"
    )


def _requests_per_second(target: Target, *, seconds: int) -> float:
    program = shutil.which("wrk")
    if program is None:
        message = "The benchmarks need wrk (Debian: apt-get install wrk)."
        raise MissingToolError(message)
    headers = [
        part for name, value in target.headers.items() for part in ("-H", f"{name}: {value}")
    ]
    with TemporaryDirectory() as folder:
        report = subprocess.run(
            [program, "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", *headers, target.url],
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + 30,
            cwd=Path(folder),
        ).stdout
    refused, broken = _REFUSED.search(report), _SOCKET_ERRORS.search(report)
    assert refused is None, f"{target.name}: answers that are not 2xx\n{report}"
    assert broken is None, f"{target.name}: broken connections\n{report}"
    rate = _RATE.search(report)
    assert rate is not None, report
    return float(rate.group(1))
