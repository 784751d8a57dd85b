"""What curators do with single emojis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.identity import Actor, Identities
from emoji_gallery.contracts.ids import EmojiId
from emoji_gallery.gallery.errors import UnknownTierError
from emoji_gallery.gallery.rules.curation import Decision
from emoji_gallery.gallery.rules.rows import EmojiRow
from emoji_gallery.gallery.service.browsing import SeenEmoji
from emoji_gallery.gallery.service.publishing import publish_free
from emoji_gallery.gallery.service.watching import CatalogueWatch
from emoji_gallery.gallery.store import catalogue, reading, words
from emoji_gallery.gallery.store import emojis as store
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database, WriteConnection
from emoji_gallery.kit.errors import NotFoundError, PreconditionFailedError

# Whether an emoji is still as the curator saw it.
Precondition = Callable[[SeenEmoji], bool]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class CurateEmoji:
    """Changes emojis of any tier, active or not."""

    db: Database
    assets: Assets
    identities: Identities
    watch: CatalogueWatch
    clock: Clock

    async def change(
        self, actor: Actor, emoji_id: EmojiId, decision: Decision, *, holds: Precondition
    ) -> SeenEmoji:
        """Decide about an emoji and show it; it is in the catalogue that is committed by then.

        Raises `NotFoundError`, `UnknownTierError`, and `PreconditionFailedError` when `holds`
        says no.
        """
        tiers = {tier.name: tier.rank for tier in await self.identities.tiers()}
        lowest = min(tiers.values())
        if decision.tier is not None and decision.tier not in tiers:
            raise UnknownTierError(known=list(tiers))
        async with self.db.transaction() as tx:
            await catalogue.lock_catalogue(tx)
            locked = await store.lock_emoji(tx, emoji_id)
            if locked is None:
                raise NotFoundError
            pack_id, row = locked
            if not holds(await _shown(tx, emoji_id, lowest)):
                raise PreconditionFailedError
            decided = decision.applied(row, tier_rank=tiers.get(decision.tier or ""))
            version: int | None = None
            if decided != row:
                await store.write_emojis(tx, pack_id, [decided], now=self.clock())
                await self._follow(tx, row, decided, free_rank=lowest)
                version = await catalogue.advance_version(tx)
            seen = await _shown(tx, emoji_id, lowest)
        if version is not None:
            self.watch.saw(version)
        log.info(
            "emoji.curated",
            emoji_id=str(emoji_id),
            curator=actor.user_id,
            fields=sorted(decision.fields),
        )
        return seen

    async def _follow(
        self, tx: WriteConnection, row: EmojiRow, decided: EmojiRow, *, free_rank: int
    ) -> None:
        """Let what depends on the row follow it: what it is found by, who may have its art."""
        if (row.name, row.tags) != (decided.name, decided.tags):
            await words.write_search_texts(tx, [decided])
        if row.tier != decided.tier:
            await publish_free(tx, self.assets, [row.art.digest], free_rank=free_rank)


async def _shown(tx: WriteConnection, emoji_id: EmojiId, lowest: int) -> SeenEmoji:
    """The emoji with its pack, as curators see it: no tier is above them."""
    _, row = await reading.find_one(tx, emoji_id, locale="")
    if row is None:
        raise NotFoundError
    return SeenEmoji(row, locked=False, public=row.tier.rank <= lowest)
