"""The URLs of an asset's renditions, as lists carry them. Pure, and fast enough for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from emoji_gallery.assets.rules.signing import Audience, Signer, SigningWindow
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.media import catalogue
from emoji_gallery.media.catalogue import RenditionSpec
from emoji_gallery.media.types import Shape


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What decides which renditions an asset has, and where they are."""

    digest: Digest
    shape: Shape


@dataclass(frozen=True, slots=True)
class RenditionLink:
    """Where to fetch a rendition, and what comes from there; sizes in pixels."""

    url: str
    type: str
    width: int
    height: int


@dataclass(frozen=True)
class Links:
    """Makes URLs below an address that holds no final slash; empty means this server."""

    signer: Signer
    base_url: str = ""

    def renditions(
        self,
        facts: AssetFacts,
        *,
        audience: Audience,
        window: SigningWindow,
        names: Sequence[str] | None,
    ) -> dict[str, RenditionLink]:
        """Those of the names that the asset has, small ones first; None means all it has."""
        wanted = None if names is None else tuple(names)
        return {
            spec.name: RenditionLink(
                self._url(facts.digest, spec.name, audience, window),
                spec.content_type,
                spec.width,
                spec.height,
            )
            for spec in _specs(facts.shape, wanted)
        }

    def _url(self, digest: Digest, name: str, audience: Audience, window: SigningWindow) -> str:
        path = f"{self.base_url}/media/{digest}/{name}"
        if audience is Audience.PUBLIC:
            return path
        return f"{path}?{self.signer.query(window, digest, name, audience)}"


@lru_cache(maxsize=4096)
def _specs(shape: Shape, names: tuple[str, ...] | None) -> tuple[RenditionSpec, ...]:
    """The catalogue's answer, kept: most pictures of a page have the same few shapes."""
    had = catalogue.renditions(shape)
    return tuple(spec for name, spec in had.items() if names is None or name in names)
