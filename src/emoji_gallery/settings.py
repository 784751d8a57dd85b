"""All settings of a process, gathered from the modules that they belong to.

Every one is an environment variable of the same name in capitals. `docs/operating.md` has
the table, which a test compares with these classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import get_type_hints

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from emoji_gallery.accounts.settings import AccountsSettings
from emoji_gallery.assets.settings import AssetSettings
from emoji_gallery.edge.addresses import ProxySettings
from emoji_gallery.edge.cors import CorsSettings
from emoji_gallery.edge.request_context import RequestLogSettings
from emoji_gallery.kit.cache import CacheSettings
from emoji_gallery.kit.database import DatabaseSettings
from emoji_gallery.kit.limiter import LimiterSettings
from emoji_gallery.kit.logs import LogSettings
from emoji_gallery.kit.objects import StorageSettings
from emoji_gallery.kit.outbox.worker import WorkerSettings
from emoji_gallery.kit.redis_gate import RedisSettings
from emoji_gallery.kit.secrets import SecretSettings
from emoji_gallery.media.settings import RendererSettings
from emoji_gallery.user_emojis.settings import UploadSettings


class ProcessSettings(BaseSettings):
    """What a process is and where it keeps things."""

    model_config = SettingsConfigDict(frozen=True)

    data_dir: Path = Field(
        default=Path(".data"), description="Folder of the embedded shape: database, files, secret."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    role: str = Field(
        default="all",
        description="What the process runs, separated by commas: `all`, `gallery`, "
        "`user-emojis`, `media`, `accounts`, `worker`.",
    )


class SettingsError(ValueError):
    """Settings that are right one by one do not go together; the message says which."""


@dataclass(frozen=True)
class Settings:
    """One object per module; made from the environment by its constructor.

    Raises pydantic's `ValidationError`, or `SettingsError`.
    """

    process: ProcessSettings = field(default_factory=ProcessSettings)
    logs: LogSettings = field(default_factory=LogSettings)
    secrets: SecretSettings = field(default_factory=SecretSettings)
    requests: RequestLogSettings = field(default_factory=RequestLogSettings)
    proxies: ProxySettings = field(default_factory=ProxySettings)
    cors: CorsSettings = field(default_factory=CorsSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    limiter: LimiterSettings = field(default_factory=LimiterSettings)
    storage: StorageSettings = field(default_factory=StorageSettings)
    accounts: AccountsSettings = field(default_factory=AccountsSettings)
    assets: AssetSettings = field(default_factory=AssetSettings)
    renderer: RendererSettings = field(default_factory=RendererSettings)
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    uploads: UploadSettings = field(default_factory=UploadSettings)

    def __post_init__(self) -> None:
        """Refuse half of a deployment: servers of our own come together."""
        if bool(self.database.database_url) != bool(self.redis.redis_url):
            message = "Set both DATABASE_URL and REDIS_URL, or neither for servers of our own."
            raise SettingsError(message)


def setting_classes() -> Iterator[type[BaseSettings]]:
    """Every module's settings class, in the order of `Settings`."""
    kinds = get_type_hints(Settings)
    for entry in fields(Settings):
        yield kinds[entry.name]
