"""What must happen to each file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

Expectation = Literal["accept", "reject", "either"]

# Answered with 415 until the service takes them; an animated AVIF is recognised by its frames.
_NOT_TAKEN_YET: Final = frozenset({"apng", "lottie", "lottie-zip"})


@dataclass(frozen=True)
class Case:
    """One file and its verdict. Width, height and frames are None where nobody knows."""

    path: Path
    name: str
    format: str
    expectation: Expectation
    postchecks: frozenset[str]
    width: int | None
    height: int | None
    frames: int | None

    @property
    def may_be_unsupported(self) -> bool:
        """Whether 415 is a right answer although the file is good."""
        animated_avif = self.format == "avif" and (self.frames or 1) > 1
        return self.format in _NOT_TAKEN_YET or animated_avif


def read_manifest(folder: Path) -> list[Case]:
    """All cases of a folder, in the manifest's order."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return [_case(folder, row) for row in csv.DictReader(file)]


def _case(folder: Path, row: dict[str, str]) -> Case:
    return Case(
        path=folder / row["file"],
        name=row["file"],
        format=row["format"],
        expectation=cast("Expectation", row["expectation"]),
        postchecks=frozenset(filter(None, row["postcheck"].split(";"))),
        width=_number(row["width"]),
        height=_number(row["height"]),
        frames=_number(row["frames"]),
    )


def _number(text: str) -> int | None:
    return int(text) if text else None
