"""What a curator decides about an emoji."""

from __future__ import annotations

from dataclasses import dataclass, replace

from emoji_gallery.gallery.rules.rows import CuratedField, EmojiRow, TierRank


@dataclass(frozen=True)
class Decision:
    """New values of fields, the tier by its name; None leaves a field as it is."""

    name: str | None = None
    tags: tuple[str, ...] | None = None
    tier: str | None = None
    position: int | None = None
    is_active: bool | None = None

    @property
    def fields(self) -> frozenset[CuratedField]:
        """The fields that are decided about, also where the value stays."""
        decided: dict[CuratedField, object] = {
            "name": self.name,
            "tags": self.tags,
            "tier": self.tier,
            "position": self.position,
            "is_active": self.is_active,
        }
        return frozenset(field for field, value in decided.items() if value is not None)

    def applied(self, row: EmojiRow, *, tier_rank: int | None) -> EmojiRow:
        """The row as decided, with the rank of the tier decided for; imports leave these fields."""
        tier = row.tier
        if self.tier is not None and tier_rank is not None:
            tier = TierRank(self.tier, tier_rank)
        return replace(
            row,
            name=row.name if self.name is None else self.name,
            tags=row.tags if self.tags is None else self.tags,
            tier=tier,
            position=row.position if self.position is None else self.position,
            is_active=row.is_active if self.is_active is None else self.is_active,
            curated=row.curated | self.fields,
        )
