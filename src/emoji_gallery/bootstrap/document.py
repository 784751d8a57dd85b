"""The OpenAPI document, from the features alone: no server is asked, no folder is touched."""

from __future__ import annotations

import secrets

from pydantic import SecretStr

from emoji_gallery.bootstrap.features import build_features
from emoji_gallery.bootstrap.resources import make_resources
from emoji_gallery.edge.app import create_app
from emoji_gallery.kit.database import DatabaseSettings
from emoji_gallery.kit.jsontypes import JSON
from emoji_gallery.kit.objects import StorageSettings
from emoji_gallery.kit.redis_gate import RedisSettings
from emoji_gallery.kit.secrets import SecretSettings
from emoji_gallery.settings import Settings


def openapi_document() -> dict[str, JSON]:
    """The document of every feature together."""
    nowhere = Settings(
        database=DatabaseSettings(database_url="postgresql+asyncpg://nowhere"),
        redis=RedisSettings(redis_url="redis://nowhere"),
        storage=StorageSettings(storage_url="memory:"),
        secrets=SecretSettings(secret_key=SecretStr(secrets.token_hex(32))),
    )
    features = build_features(make_resources(nowhere))
    return create_app(list(features.values()), {}).openapi()
