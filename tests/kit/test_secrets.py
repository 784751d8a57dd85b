import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from emoji_gallery.kit.secrets import SecretSettings, derive_key, master_secret


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = SecretSettings(secret_key=SecretStr("x" * 32))
    assert master_secret(settings, tmp_path) == b"x" * 32
    assert not list(tmp_path.iterdir())


def test_a_short_secret_is_refused_by_its_length(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has 5 characters"):
        master_secret(SecretSettings(secret_key=SecretStr("short")), tmp_path)


def test_the_local_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    first = master_secret(SecretSettings(), folder)
    assert master_secret(SecretSettings(), folder) == first
    assert len(first) == 32
    files = list(folder.iterdir())
    assert [file.name for file in files] == ["secret"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "ab", "zz" * 32, "ab" * 31, "ab" * 33, "é"])
def test_a_damaged_secret_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secret"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match="does not hold a secret"):
        master_secret(SecretSettings(), tmp_path)
    assert file.read_text(encoding="utf-8") == content


def test_processes_that_race_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: master_secret(SecretSettings(), tmp_path), range(32)))
    assert len(secrets) == 1


def test_keys_differ_by_purpose_and_by_master() -> None:
    keys = {derive_key(b"one", "jwt"), derive_key(b"one", "media"), derive_key(b"two", "jwt")}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}
