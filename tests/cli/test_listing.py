import io
from datetime import UTC, datetime

import pytest
from typing_extensions import override

from emoji_gallery.cli.listing import show

COLUMNS = ("NAME", "SCOPES", "SINCE")
ROWS = [
    ("alice", ["admin", "curator"], datetime(2026, 11, 23, 12, 0, 1, 999, tzinfo=UTC)),
    ("[bold]bob", [], None),
]


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


def test_programs_get_tab_separated_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show(COLUMNS, ROWS)

    assert capsys.readouterr().out.splitlines() == [
        "NAME\tSCOPES\tSINCE",
        "alice\tadmin curator\t2026-11-23 12:00:01Z",
        "[bold]bob\t-\t-",
    ]


def test_people_get_a_table_of_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    show(COLUMNS, ROWS)
    printed = terminal.getvalue()

    assert "admin curator" in printed
    assert "[bold]bob" in printed
    assert "\t" not in printed
