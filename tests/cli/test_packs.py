"""`emoji-gallery packs`, on a real database."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from emoji_gallery.cli import packs
from tests.gallery.packs import pack_of

app = typer.Typer()
app.add_typer(packs.app, name="packs")


@pytest.fixture(autouse=True)
def _service(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a service whose servers run."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["packs", *arguments])


def test_a_pack_goes_in_and_comes_out_again(tmp_path: Path) -> None:
    folder = pack_of("a", "b", tags="x").write(tmp_path / "team")
    imported = run("import", str(folder))
    assert imported.exit_code == 0, imported.output
    assert imported.stdout == (
        "team: 2 added, 0 changed (0 with new art), 0 switched off, 0 unchanged, 0 faulty.\n"
    )
    listed = run("list").stdout.splitlines()
    assert listed[0].split() == ["name", "label", "licence", "active", "all"]
    assert listed[1].split() == ["team", "The", "team's", "CC0", "2", "2"]
    exported = run("export", "team", str(tmp_path / "out.zip"))
    assert exported.stdout == f"2 emojis written to {tmp_path / 'out.zip'}.\n"
    assert "2 unchanged" in run("import", str(tmp_path / "out.zip")).stdout


def test_faults_are_listed_and_told_by_the_exit_code(tmp_path: Path) -> None:
    pack = pack_of("good", "bad")
    pack.art["bad.svg"] = b""
    result = run("import", str(pack.write(tmp_path / "team")))
    assert result.exit_code == packs.EXIT_FAULTS
    assert result.stderr.splitlines() == ["bad.svg: image_rejected: empty"]
    assert "1 added" in result.stdout


def test_what_stays_switched_off_is_said_and_reset(tmp_path: Path) -> None:
    folder = tmp_path / "team"
    run("import", str(pack_of("a", "b").write(folder)))
    assert "1 switched off" in run("import", str(pack_of("a").write(folder))).stdout
    kept = run("import", str(pack_of("a", "b").write(folder))).stdout
    assert "1 are in the pack, but stay switched off; see --reset." in kept
    assert "1 changed" in run("import", "--reset", str(folder)).stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("import", "nowhere"), "nowhere is neither a folder nor a zip archive."),
        (("export", "nobody", "out"), "There is no pack nobody."),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr == f"Error: {reason}\n"


def test_nothing_is_exported_over_what_is_there(tmp_path: Path) -> None:
    folder = pack_of("a").write(tmp_path / "team")
    run("import", str(folder))
    result = run("export", "team", str(folder))
    assert result.exit_code == 1
    assert result.stderr == f"Error: {folder} is there already.\n"
