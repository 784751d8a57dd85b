"""An emoji as its readers see it: the row and the links to its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emoji_gallery.assets.rules.links import AssetFacts, RenditionLink
from emoji_gallery.assets.rules.signing import Audience
from emoji_gallery.assets.service.library import Assets
from emoji_gallery.media.catalogue import LISTED
from emoji_gallery.user_emojis.models import Status, UserEmoji


@dataclass(frozen=True, slots=True)
class EmojiView:
    """A row and its links; none before the emoji is ready."""

    emoji: UserEmoji
    renditions: Mapping[str, RenditionLink]


@dataclass(frozen=True)
class EmojiViews:
    """Adds the links, which only those may follow that they were made for."""

    assets: Assets

    def listed(self, emoji: UserEmoji) -> EmojiView:
        """An emoji as lists show it."""
        return self._view(emoji, LISTED)

    def full(self, emoji: UserEmoji) -> EmojiView:
        """An emoji with every rendition that it has."""
        return self._view(emoji, None)

    def _view(self, emoji: UserEmoji, names: Sequence[str] | None) -> EmojiView:
        if emoji.status is not Status.READY:
            return EmojiView(emoji, {})
        facts = AssetFacts(emoji.digest, emoji.probe.shape)
        links = self.assets.renditions(facts, audience=Audience.USER, names=names)
        return EmojiView(emoji, links)
