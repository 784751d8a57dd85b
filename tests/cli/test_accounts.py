"""`emoji-gallery users`, `keys` and `tiers`, on a real database."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from emoji_gallery.accounts.feature import local_identities
from emoji_gallery.accounts.service.local_keys import LocalKeys
from emoji_gallery.cli import keys, tiers, users
from emoji_gallery.contracts.identity import Actor
from emoji_gallery.kit.clock import utc_now
from emoji_gallery.kit.database import DatabaseSettings, connect
from emoji_gallery.kit.errors import UnauthenticatedError

app = typer.Typer()
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(tiers.app, name="tiers")


@pytest.fixture(autouse=True)
def _service(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a service whose servers run."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=answer)


def done(*arguments: str, answer: str = "") -> str:
    """What a command that succeeds prints on standard output."""
    result = run(*arguments, answer=answer)
    assert result.exit_code == 0, result.output
    return result.stdout


def rows(printed: str) -> list[dict[str, str]]:
    """The rows of a listing."""
    header, *lines = printed.splitlines()
    names = header.split("\t")
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines]


@pytest.fixture
def actor_of(database_url: str) -> Callable[[str], Actor]:
    """Whom a process that starts now takes the bearer of a key for."""

    async def ask(secret: str) -> Actor:
        pool = connect(DatabaseSettings(database_url=database_url), application_name="tests")
        identities = local_identities(db=pool, keys=LocalKeys(b"k" * 32), clock=utc_now)
        try:
            return await identities.authenticate(f"Bearer {secret}", None)
        finally:
            await pool.close()

    return lambda secret: asyncio.run(ask(secret))


class TestUsers:
    def test_a_tier_is_stored_and_given_back(self) -> None:
        done("users", "set-tier", "alice", "premium")
        [alice] = rows(done("users", "show", "alice"))
        done("users", "set-tier", "alice", "none")
        [afterwards] = rows(done("users", "show", "alice"))

        assert (alice["USER_ID"], alice["STORED_TIER"]) == ("alice", "premium")
        assert afterwards["STORED_TIER"] == "-"

    def test_users_are_listed_page_by_page(self) -> None:
        for name in ("carol", "alice", "bob", "org/dave"):
            done("users", "set-tier", name, "free")
        first = rows(done("users", "list", "--limit", "2"))
        rest = rows(done("users", "list", "--after", first[-1]["USER_ID"]))

        assert [row["USER_ID"] for row in first + rest] == ["alice", "bob", "carol", "org/dave"]

    def test_tokens_are_revoked_and_the_list_says_since_when(self) -> None:
        assert "revoked" in done("users", "revoke-tokens", "alice")
        [alice] = rows(done("users", "show", "alice"))

        assert alice["TOKENS_REVOKED_BEFORE"] == alice["CREATED"]

    def test_erasing_asks_first(self) -> None:
        done("users", "set-tier", "alice", "premium")
        refused = run("users", "erase", "alice", answer="n\n")
        assert refused.exit_code == 1
        assert len(rows(done("users", "list"))) == 1
        done("users", "erase", "alice", answer="y\n")
        assert rows(done("users", "list")) == []
        done("users", "erase", "alice", "--yes")

    def test_a_refusal_is_one_sentence(self) -> None:
        for arguments, status, said in (
            (("show", "nobody"), 1, "Nothing is stored"),
            (("set-tier", "alice", "platinum"), 1, "no such tier"),
            (("set-tier", "a" * 129, "free"), 2, "1 to 128 printable"),
            (("list", "--limit", "0"), 2, "limit"),
        ):
            result = run("users", *arguments)

            assert result.exit_code == status, arguments
            assert said in result.stderr
            assert "Traceback" not in result.output


class TestKeys:
    def test_a_new_key_is_printed_alone_on_its_line_and_works(
        self, actor_of: Callable[[str], Actor]
    ) -> None:
        result = run("keys", "create", "alice", "--label", "CI", "--scope", "curator")
        secret = result.stdout.strip()

        assert result.stdout == f"{secret}\n"
        assert actor_of(secret).user_id == "alice"
        assert actor_of(secret).scopes == {"curator"}

    def test_a_key_is_listed_without_its_secret_and_revoked_by_its_id(
        self, actor_of: Callable[[str], Actor]
    ) -> None:
        secret = done("keys", "create", "alice", "--label", "CI").strip()
        done("keys", "create", "bob", "--label", "laptop")
        printed = done("keys", "list", "alice")
        [key] = rows(printed)
        assert (key["USER_ID"], key["LABEL"], key["REVOKED"]) == ("alice", "CI", "-")
        assert secret not in printed
        done("keys", "revoke", key["ID"])

        with pytest.raises(UnauthenticatedError):
            actor_of(secret)
        revoked, other = rows(done("keys", "list"))
        assert revoked["REVOKED"] != "-"
        assert other["REVOKED"] == "-"
        assert run("keys", "revoke", key["ID"]).exit_code == 1

    def test_what_cannot_be_is_refused(self) -> None:
        for arguments in (
            ("create", "alice"),
            ("create", "alice", "--label", ""),
            ("create", "alice", "--label", "x" * 65),
            ("create", "alice", "--label", "a\tb"),
            ("create", "alice", "--label", "x", "--scope", "root"),
            ("revoke", "emj_01m84f9s25ejr8arrbj9pxa3ms"),
            ("revoke", "key_"),
        ):
            result = run("keys", *arguments)

            assert result.exit_code == 2, arguments
            assert result.stdout == ""


class TestTiers:
    def test_the_list_shows_every_limit(self) -> None:
        free, premium, business = rows(done("tiers", "list"))

        assert (free["NAME"], free["UPLOAD_LIMIT"]) == ("free", "5")
        assert free["ANONYMOUS_READS_PER_MINUTE"] == "600"
        assert (premium["NAME"], premium["UPLOADS_PER_MINUTE"]) == ("premium", "300")
        assert (business["NAME"], business["UPLOAD_LIMIT"]) == ("business", "-")

    def test_limits_are_changed_and_the_others_stay(self) -> None:
        before = rows(done("tiers", "list"))
        done("tiers", "set", "premium", "--upload-limit", "none", "--reads-per-minute", "4000")
        after = rows(done("tiers", "list"))

        changed = {**before[1], "UPLOAD_LIMIT": "-", "READS_PER_MINUTE": "4000"}
        assert after == [before[0], changed, before[2]]

    def test_a_limit_that_cannot_be_changes_nothing(self) -> None:
        before = done("tiers", "list")
        for arguments, said in (
            (("free",), "Name at least one limit"),
            (("free", "--upload-limit", "-1"), "upload_limit is a whole number or none"),
            (("free", "--max-side", "none"), "max_side needs a number"),
            (("free", "--max-side", "4097"), "max_side is from 1 to 4096, not 4097"),
            (("free", "--max-side", "9" * 19), "max_side is a whole number"),
            (("free", "--max-side", "²"), "max_side is a whole number"),
            (("platinum", "--max-side", "64"), "There is no tier 'platinum'"),
        ):
            result = run("tiers", "set", *arguments)

            assert result.exit_code == 1
            assert result.stderr.startswith(f"Error: {said}")
        assert done("tiers", "list") == before


def test_without_a_database_a_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://x@127.0.0.1:1/x")
    result = run("tiers", "list")

    assert result.exit_code == 1
    assert result.stderr == "Error: The database does not answer.\n"


def test_a_setting_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_POOL_SIZE", "many")
    result = run("tiers", "list")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: DATABASE_POOL_SIZE: ")


def test_servers_that_cannot_run_are_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "file" / "data"))
    result = run("tiers", "list")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


def test_an_empty_database_is_named(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    address, _, _ = database_url.partition("?")
    empty = database_url.replace(address, address.rpartition("/")[0] + "/postgres")
    monkeypatch.setenv("DATABASE_URL", empty)
    result = run("tiers", "list")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The database is empty: run `emoji-gallery migrate`")
