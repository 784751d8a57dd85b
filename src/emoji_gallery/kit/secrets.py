"""Secrets: one master, from the environment or a local file, and one key derived per purpose."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_FILE: Final = "secret"
_BYTES: Final = 32


class SecretError(ValueError):
    """The master secret cannot be used; the message says why and what to do."""


class SecretSettings(BaseSettings):
    """Where signing keys come from."""

    model_config = SettingsConfigDict(frozen=True)

    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="Master secret of at least 32 characters, the same for all processes; "
        "empty means the file `secret` in DATA_DIR, made on first use.",
    )


def master_secret(settings: SecretSettings, data_dir: Path) -> bytes:
    """The master secret that settings name.

    Raises `SecretError` for one that is too short or damaged, `OSError` when the file cannot be
    had.
    """
    given = settings.secret_key.get_secret_value()
    if not given:
        return _local_secret(data_dir)
    if len(given) < _BYTES:
        message = f"SECRET_KEY has {len(given)} characters; it needs at least {_BYTES}."
        raise SecretError(message)
    return given.encode()


def derive_key(master: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose; keys of different purposes tell nothing of each other."""
    return hmac.digest(master, purpose.encode(), "sha256")


def _local_secret(data_dir: Path) -> bytes:
    """Read the data folder's secret, or make it; of two processes that race one wins for both."""
    path = data_dir / _FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        draft = data_dir / f".{_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            # Written through before it gets its name: no power loss leaves an empty secret.
            os.fsync(file.fileno())
        try:
            # A link never replaces what is there, so the first process decides for all.
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return _checked(path)


def _checked(path: Path) -> bytes:
    """The secret in a file; an empty or cut one would sign tokens that anybody can forge."""
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != _BYTES:
        message = (
            f"{path} does not hold a secret of {_BYTES} bytes in hexadecimal. Restore it; if it "
            "is lost, remove the file: every token and media address made with it ends."
        )
        raise SecretError(message)
    return secret
