"""Measures and draws SVG with libvips' librsvg. Runs in a child only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyvips

from emoji_gallery.media.catalogue import RenditionSpec, fit, listed
from emoji_gallery.media.encode import encode_still
from emoji_gallery.media.svg_safety import read_root
from emoji_gallery.media.svg_size import stated_size
from emoji_gallery.media.svg_text import to_utf8
from emoji_gallery.media.types import Format, Limits, Probe
from emoji_gallery.media.vips import VECTOR_LOADERS, allow_only

_REFERENCE_SIZE: Final = 1_024
_PRECISION: Final = 1_000_000
_WIDEST: Final = 16_000
"""The size in pixels at which an odd document is measured; the library stops at 32,767."""


_WARM_UP: Final = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2">
<rect width="1" height="1" filter="blur(1px)"/><text font-size="1">a</text></svg>"""


def prepare() -> None:
    """Allow the SVG loader alone, then draw a text once: that opens the font configuration."""
    allow_only(VECTOR_LOADERS)
    made = probe(_WARM_UP, Format.SVG, Limits())
    render(_WARM_UP, made, list(listed(made.shape).values()))


def probe(data: bytes, _: Format, __: Limits) -> Probe:
    """Check safety and form, and fit the aspect ratio into 1024x1024. Draws nothing.

    A vector has no pixels that a limit could count.
    """
    document = _read(data)
    return Probe(Format.SVG, *_fit(document, _REFERENCE_SIZE))


def render(data: bytes, _: Probe, specs: Sequence[RenditionSpec]) -> list[bytes]:
    """Draw each rendition at its own size."""
    document = _read(data)
    sizes = {(spec.width, spec.height) for spec in specs}
    drawings = {size: _draw(document, *size) for size in sizes}
    return [encode_still(drawings[spec.width, spec.height], spec.extension) for spec in specs]


@dataclass(frozen=True, slots=True)
class _Document:
    """A checked document, with the size in pixels that it has at scale 1."""

    text: bytes
    width: float
    height: float


def _read(data: bytes) -> _Document:
    text = to_utf8(data)
    stated = stated_size(read_root(text))
    if stated:
        scale = _REFERENCE_SIZE / max(stated)
        drawn = _load(text, scale=scale)
        if abs(stated[0] * scale - drawn.width) <= 1 and abs(stated[1] * scale - drawn.height) <= 1:
            return _Document(text, *stated)
    # A unit other than the pixel, or a style sheet, decides. Enlarged, its aspect is exact enough.
    drawn = _load(text, scale=1)
    enlarged = _load(text, scale=max(1, _WIDEST // max(drawn.width, drawn.height)))
    factor = max(drawn.width, drawn.height) / max(enlarged.width, enlarged.height)
    return _Document(text, enlarged.width * factor, enlarged.height * factor)


def _fit(document: _Document, size: int) -> tuple[int, int]:
    # Scaled up first, so that a picture of a few units keeps its aspect in whole numbers.
    factor = _PRECISION / max(document.width, document.height)
    width, height = (max(1, round(side * factor)) for side in (document.width, document.height))
    return fit(width, height, size)


def _draw(document: _Document, width: int, height: int) -> pyvips.Image:
    """Draw at the scale that fills this size, and trim what rounding adds or leaves out."""
    scale = max(width, height) / max(document.width, document.height)
    image = _load(document.text, scale=scale)
    longest = max(image.width, image.height)
    if abs(longest - max(width, height)) > 1:
        # The library applies the scale twice to some units, so what it did is measured.
        scale *= (max(width, height) / longest) ** 0.5
        image = _load(document.text, scale=scale)
    return image.copy_memory().gravity("north-west", width, height, extend="background")


def _load(text: bytes, *, scale: float) -> pyvips.Image:
    return pyvips.Image.svgload_buffer(text, scale=scale, fail_on="error")
