"""Settings of assets and their delivery."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class AssetSettings(BaseSettings):
    """How media URLs are made, what is kept near, and how long nobody's files stay."""

    model_config = SettingsConfigDict(frozen=True)

    media_base_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/]+(/[^\s]*)?[^\s/])?$",
        description="What media URLs begin with, such as the CDN's `https://media.example.org`, "
        "without a final slash; empty means paths on the same host.",
    )
    media_signing_keys: SecretStr = Field(
        default=SecretStr(""),
        description="`id:secret,id:secret`: the first signs media URLs, all are believed; "
        "secrets have 32 characters or more. Empty means one derived from SECRET_KEY.",
    )
    media_cache_mib: int = Field(
        default=64, ge=0, description="MiB of small renditions that a process keeps in memory."
    )
    media_misses_per_minute: int = Field(
        default=3_000, ge=1, description="Renditions not yet made that one address may ask for."
    )
    media_queue: int = Field(
        default=64, ge=1, description="Renditions that wait to be made for requests, per process."
    )
    asset_grace: timedelta = Field(
        default=timedelta(days=7),
        ge=timedelta(0),
        description="How long files stay that nothing refers to, as `P7D` or in seconds.",
    )
