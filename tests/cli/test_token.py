"""`emoji-gallery token`."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from emoji_gallery.accounts.feature import token_keys
from emoji_gallery.accounts.rules.claims import Claims, read_claims
from emoji_gallery.accounts.rules.tokens import VerificationKey, verified_payload
from emoji_gallery.accounts.service.local_keys import LocalKeys
from emoji_gallery.accounts.settings import AccountsSettings
from emoji_gallery.cli.token import token
from emoji_gallery.kit.clock import utc_now
from emoji_gallery.kit.secrets import SecretSettings, master_secret

app = typer.Typer()
app.command()(token)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that a service has used."""
    folder = tmp_path / "data"
    monkeypatch.setenv("DATA_DIR", str(folder))
    master_secret(SecretSettings(), folder)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def claims_of(printed: str, data_dir: Path) -> Claims:
    """What the service on that data folder reads from a token."""
    master = master_secret(SecretSettings(), data_dir)
    keys = token_keys(AccountsSettings(), master=master, clock=utc_now)
    assert isinstance(keys, LocalKeys)
    payload = verified_payload(printed, VerificationKey("HS256", keys.secret))
    return read_claims(payload, keys.policy, now=utc_now())


def test_the_token_stands_alone_on_its_line_and_holds(data_dir: Path) -> None:
    result = run("alice", "--tier", "premium", "--scope", "curator", "--scope", "admin")

    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""
    claims = claims_of(result.stdout.strip(), data_dir)
    assert (claims.subject, claims.tier) == ("alice", "premium")
    assert claims.scopes == {"curator", "admin"}


def test_without_options_it_claims_no_tier_and_holds_for_thirty_days(data_dir: Path) -> None:
    claims = claims_of(run("alice").stdout.strip(), data_dir)

    assert (claims.tier, claims.scopes) == (None, frozenset())
    assert claims.issued_at is not None
    assert claims.expires_at - claims.issued_at == pytest.approx(30 * 86_400)


@pytest.mark.parametrize(
    ("ttl", "seconds"), [("90s", 90), ("15m", 900), ("12h", 43_200), ("2d", 172_800)]
)
def test_its_life_is_a_span_of_time(data_dir: Path, ttl: str, seconds: int) -> None:
    claims = claims_of(run("alice", "--ttl", ttl).stdout.strip(), data_dir)

    assert claims.issued_at is not None
    assert claims.expires_at - claims.issued_at == pytest.approx(seconds)


@pytest.mark.parametrize(
    "arguments",
    [
        ("alice", "--ttl", "0s"),
        ("alice", "--ttl", "-1d"),
        ("alice", "--ttl", "3651d"),
        ("alice", "--ttl", "soon"),
        ("alice", "--ttl", "90"),
        ("alice", "--tier", "platinum"),
        ("alice", "--scope", "root"),
        ("",),
        ("a" * 129,),
        ("a\nb",),
        (),
    ],
)
@pytest.mark.usefixtures("data_dir")
def test_what_no_token_can_say_is_refused(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""


def test_without_a_data_folder_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "none"))
    result = run("alice")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "start `make run` first, or set DATA_DIR" in result.stderr
    assert not (tmp_path / "none").exists()


def test_a_secret_that_cannot_be_read_is_said_in_one_line(data_dir: Path) -> None:
    (data_dir / "secret").unlink()
    (data_dir / "secret").mkdir()
    result = run("alice")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The secret cannot be read")
    assert result.stderr.count("\n") == 1


def test_a_secret_of_the_environment_needs_no_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("SECRET_KEY", "a secret that all processes share")
    printed = run("alice").stdout.strip()

    assert claims_of(printed, tmp_path / "none").subject == "alice"


@pytest.mark.usefixtures("data_dir")
def test_behind_an_identity_provider_there_is_no_local_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JWKS_URL", "https://id.example/keys")
    monkeypatch.setenv("TOKEN_ISSUER", "https://id.example")
    result = run("alice")

    assert result.exit_code == 1
    assert "JWKS_URL is set" in result.stderr
