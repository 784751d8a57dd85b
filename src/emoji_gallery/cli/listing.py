"""Rows for a person at a terminal, and for programs behind a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table in a terminal, tab-separated lines anywhere else."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            typer.echo("\t".join(_cell(value) for value in row))
        return
    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        # As text: what users chose must not be read as the console's markup.
        table.add_row(*(Text(_cell(value)) for value in row))
    Console().print(table)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    if isinstance(value, (list, tuple)):
        return " ".join(str(part) for part in value) or "-"
    return str(value)
