"""An emoji as its readers see it: the row and the links to its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emoji_gallery.assets.rules.links import RenditionLink
from emoji_gallery.user_emojis.models import UserEmoji


@dataclass(frozen=True, slots=True)
class EmojiView:
    """A row and its links; none before the emoji is ready."""

    emoji: UserEmoji
    renditions: Mapping[str, RenditionLink]
