"""Claimed idempotency keys of this feature."""

from __future__ import annotations

from emoji_gallery.kit.idempotency_store import IdempotencyStore


class UserEmojiKeys(IdempotencyStore):
    """Keys of uploads and restorations. Endpoints ask for it by its type."""
