"""What a run does on the way up, where a whole process would show less of it or take longer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emoji_gallery.accounts.settings import AccountsSettings
from emoji_gallery.bootstrap import Resources
from emoji_gallery.cli import run as run_module
from emoji_gallery.cli.main import app
from emoji_gallery.gallery.models import packs
from emoji_gallery.kit.clock import utc_now
from emoji_gallery.kit.typeids import new_uuid
from tests.application import application
from tests.service import free_port


@pytest.fixture
async def resources(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Resources]:
    async with application(
        database_url=database_url, redis_url=redis_url, data_dir=tmp_path
    ) as running:
        yield running.resources


@pytest.fixture
def imports(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was imported, without taking the minute that thousands of pictures need."""
    done: list[str] = []

    async def note(_resources: Resources, progress: Callable[[int, int], None]) -> None:
        progress(1, 1)
        done.append("openmoji")

    monkeypatch.setattr(run_module, "import_builtin_pack", note)
    return done


async def test_empty_gallery_gets_the_in_house_pack(
    resources: Resources, imports: list[str]
) -> None:
    await run_module._import_in_house_pack(resources)
    assert imports == ["openmoji"]


async def test_gallery_that_has_the_pack_is_left_alone(
    resources: Resources, imports: list[str]
) -> None:
    row = {"name": "openmoji", "label": "OpenMoji", "licence": "none", "attribution": "none"}
    async with resources.database.transaction() as tx:
        await tx.execute(packs.insert(), {**row, "id": new_uuid(), "created_at": utc_now()})
    await run_module._import_in_house_pack(resources)
    assert imports == []


async def test_no_demo_tokens_where_an_identity_provider_issues_them(resources: Resources) -> None:
    accounts = AccountsSettings(
        jwks_url="https://identity.test/keys", token_issuer="https://identity.test"
    )
    elsewhere = replace(resources, settings=replace(resources.settings, accounts=accounts))
    assert run_module._demo_tokens(elsewhere) == {}
    assert set(run_module._demo_tokens(resources)) == {"free", "premium", "business"}


def test_format_of_the_logs_that_was_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_module._settings(None, None).logs.log_format == "console"
    monkeypatch.setenv("LOG_FORMAT", "json")
    assert run_module._settings(None, None).logs.log_format == "json"


def test_secret_from_the_environment_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    settings = run_module._settings(8123, tmp_path / "data")
    assert (settings.process.port, settings.process.data_dir) == (8123, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_database_that_is_away_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/nothing"
    monkeypatch.setenv("DATABASE_URL", nowhere)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setattr(run_module, "configure_logs", lambda _settings: None)
    options = ["--port", str(free_port()), "--data-dir", str(tmp_path)]
    answer = CliRunner().invoke(app, ["run", *options])
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: ")
    assert answer.stderr.count("\n") == 1


def test_one_server_of_ones_own_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://nobody@127.0.0.1/nothing")
    for command in (["run"], ["users", "list"]):
        answer = CliRunner().invoke(app, command)
        assert answer.exit_code == 1
        assert answer.stderr.startswith("Error: Set both DATABASE_URL and REDIS_URL")


@pytest.mark.parametrize("command", [["run"], ["users", "list"]])
def test_a_damaged_secret_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]
) -> None:
    (tmp_path / "secret").write_text("cut")
    monkeypatch.setenv("PORT", str(free_port()))
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://nobody@127.0.0.1/nothing")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setattr(run_module, "configure_logs", lambda _settings: None)
    answer = CliRunner().invoke(app, command)
    assert answer.exit_code == 1
    assert "does not hold a secret" in answer.stderr
    assert answer.stderr.count("\n") == 1
