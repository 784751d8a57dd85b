"""What of uploads an operator decides."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_MIB = 1024 * 1024


class UploadSettings(BaseSettings):
    """How bodies are received."""

    model_config = SettingsConfigDict(frozen=True)

    spool_dir: Path | None = Field(
        default=None,
        description="Folder that files pass through on their way in; empty means the folder "
        "`spool` in DATA_DIR.",
    )
    spool_max_bytes: int = Field(
        default=512 * _MIB,
        ge=_MIB,
        description="All files on their way in through one process, in bytes; beyond it uploads "
        "answer 503.",
    )
    upload_idle_seconds: float = Field(
        default=15, gt=0, description="A body of which nothing comes for this long is cut."
    )
    upload_min_bytes_per_second: int = Field(
        default=2048,
        ge=0,
        description="A body that comes more slowly than this, after its first 20 s, is cut.",
    )
