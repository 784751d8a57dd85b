"""One asset as it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from emoji_gallery.contracts.ids import Digest
from emoji_gallery.media.types import Probe


@dataclass(frozen=True, slots=True)
class StoredAsset:
    """One source, measured; size in bytes. Public ones need no signature."""

    digest: Digest
    probe: Probe
    bytes: int
    is_public: bool = False
