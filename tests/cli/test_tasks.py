"""`emoji-gallery tasks`, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import typer
from sqlalchemy import text
from typer.testing import CliRunner, Result

from emoji_gallery.cli import tasks
from emoji_gallery.kit.database import Database, DatabaseSettings, connect

app = typer.Typer()
app.add_typer(tasks.app, name="tasks")

_Outcome = TypeVar("_Outcome")


@pytest.fixture(autouse=True)
def _service(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


class Letters:
    """The dead letters and the waiting tasks of two features."""

    def __init__(self, database_url: str) -> None:
        self._settings = DatabaseSettings(database_url=database_url)

    def write(self, schema: str, task: str, payload: str, *, at: str = "2026-05-01") -> None:
        async def work(database: Database) -> None:
            async with database.transaction() as tx:
                await tx.execute(
                    text(
                        f'INSERT INTO "{schema}".outbox_dead (original_id, queue, payload,'  # noqa: S608
                        " headers, deliveries_count, created_at, failed_at, failure_reason,"
                        ' last_exception) VALUES (1, :task, :payload, \'{"correlation_id": "r1"}\','
                        " 6, now(), CAST(:at AS text)::timestamptz, 'retry_terminal', :reason)"
                    ),
                    {
                        "task": task,
                        "payload": payload.encode(),
                        "at": at,
                        "reason": f"LookupError: no\n{payload}",
                    },
                )

        self._run(work)

    def waiting(self, schema: str) -> list[tuple[str, bytes, object]]:
        async def work(database: Database) -> list[tuple[str, bytes, object]]:
            statement = f'SELECT queue, payload, headers FROM "{schema}".outbox ORDER BY id'  # noqa: S608
            async with database.reading() as connection:
                rows = await connection.execute(text(statement))
                return [(row.queue, row.payload, row.headers) for row in rows]

        return self._run(work)

    def _run(self, work: Callable[[Database], Awaitable[_Outcome]]) -> _Outcome:
        async def run() -> _Outcome:
            database = connect(self._settings, application_name="tests")
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(run())


@pytest.fixture
def letters(database_url: str) -> Letters:
    letters = Letters(database_url)
    letters.write("user_emojis", "user_emojis.process", '{"n": 1}', at="2026-05-01 10:00Z")
    letters.write("user_emojis", "user_emojis.process", '{"n": 2}', at="2026-05-01 11:00Z")
    letters.write("accounts", "accounts.erase", '{"n": 3}', at="2026-05-01 10:30Z")
    return letters


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["tasks", *arguments])


def done(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def ids() -> list[str]:
    return [line.split("\t")[0] for line in done("list").splitlines()[1:]]


def test_letters_of_all_features_are_listed_latest_first(letters: Letters) -> None:
    del letters
    _, *lines = done("list").splitlines()

    assert lines[0].split("\t") == [
        "user_emojis/2",
        "user_emojis.process",
        "2026-05-01 11:00:00Z",
        "6",
        'LookupError: no {"n": 2}',
        '{"n": 2}',
    ]
    assert ids() == ["user_emojis/2", "accounts/1", "user_emojis/1"]


def test_a_list_may_be_cut_and_narrowed(letters: Letters) -> None:
    del letters
    assert len(done("list", "--limit", "1").splitlines()) == 2
    assert len(done("list", "--task", "accounts.erase").splitlines()) == 2


def test_no_letters_are_an_empty_list() -> None:
    assert len(done("list").splitlines()) == 1


def test_a_retried_letter_waits_as_a_new_task(letters: Letters) -> None:
    assert done("retry", "user_emojis/2") == "1 task\n"

    assert letters.waiting("user_emojis") == [
        ("user_emojis.process", b'{"n": 2}', {"correlation_id": "r1"})
    ]
    assert ids() == ["accounts/1", "user_emojis/1"]


def test_all_letters_of_a_task_are_retried(letters: Letters) -> None:
    assert done("retry", "--task", "user_emojis.process") == "2 tasks\n"

    assert len(letters.waiting("user_emojis")) == 2
    assert ids() == ["accounts/1"]


def test_all_letters_are_retried(letters: Letters) -> None:
    assert done("retry", "--all") == "3 tasks\n"

    assert len(letters.waiting("accounts")) == 1
    assert ids() == []


def test_dropped_letters_are_gone_and_not_run(letters: Letters) -> None:
    assert done("drop", "accounts/1", "user_emojis/1") == "2 tasks\n"

    assert letters.waiting("accounts") == letters.waiting("user_emojis") == []
    assert ids() == ["user_emojis/2"]


def test_waiting_tasks_that_nobody_handles_are_buried_and_can_be_raised(letters: Letters) -> None:
    done("retry", "--all")

    assert done("bury", "user_emojis.process") == "2 tasks\n"
    assert letters.waiting("user_emojis") == []
    assert len(letters.waiting("accounts")) == 1
    assert "buried" in done("list", "--task", "user_emojis.process")
    assert done("retry", "--task", "user_emojis.process") == "2 tasks\n"
    raised = letters.waiting("user_emojis")
    assert sorted(payload for _, payload, _ in raised) == [b'{"n": 1}', b'{"n": 2}']


@pytest.mark.parametrize("command", ["retry", "drop"])
@pytest.mark.parametrize("wrong", ["user_emojis/99", "nowhere/1", "user_emojis/x", "12", "/1"])
def test_an_unknown_id_changes_nothing(letters: Letters, command: str, wrong: str) -> None:
    result = run(command, "user_emojis/1", wrong)

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert len(ids()) == 3
    assert letters.waiting("user_emojis") == []


@pytest.mark.parametrize("arguments", [[], ["user_emojis/1", "--all"], ["--task", "x", "--all"]])
def test_what_is_meant_has_to_be_said_in_one_way(arguments: list[str]) -> None:
    result = run("drop", *arguments)

    assert result.exit_code == 1
    assert "--task NAME, or --all" in result.stderr
