"""Turns pixels into the four output formats: deterministic, with no metadata at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyvips

from emoji_gallery.media.timing import gif_delays
from emoji_gallery.media.webp_animation import STEP_MS, set_timing

# Measured at 64 to 512 pixels. Flat art (most emojis) is smaller without loss than lossy, at a
# far better quality; photographs are three times as large without loss. Effort 2 is where files
# stop shrinking much and times start to grow, for both WebP and AVIF.
_WEBP_FLAT: Final = {"near_lossless": True, "Q": 60, "effort": 2, "keep": "none"}
_WEBP_STILL: Final = {"Q": 85, "smart_subsample": True, "effort": 2, "keep": "none"}
_WEBP_MOVING: Final = {"Q": 85, "effort": 2, "keep": "none"}
_WEBP_LONG: Final = {"Q": 85, "effort": 0, "keep": "none"}
_PNG: Final = {"compression": 6, "keep": "none"}
_GIF: Final = {"effort": 5, "keep_duplicate_frames": True, "keep": "none"}
_GIF_LONG: Final = {"effort": 1, "dither": 0, "keep_duplicate_frames": True, "keep": "none"}
_AVIF: Final = {"Q": 65, "compression": "av1", "effort": 2, "bitdepth": 8, "keep": "none"}

_FLAT_STILL: Final = 0.5
_FLAT_MOVING: Final = 0.9
"""Which share of pixels equals its left neighbour in flat art. In motion, lossy frames that
repeat most of the one before are small too."""

_LONG: Final = 4_000_000
"""From so many pixels on, in all frames together, an animation is encoded in half the time or
less, for a few per cent more bytes: the largest that are taken then fit into a task's time."""

_FULL: Final = 255

_TINY: Final = 32 * 32
"""Up to so many pixels, lossy compression shows and saves nothing."""


@dataclass(frozen=True, slots=True)
class Motion:
    """An animation's delay in ms for each frame, and how often it plays (0 = for ever)."""

    delays: Sequence[int]
    plays: int


def encode_still(image: pyvips.Image, extension: str) -> bytes:
    """Encode one frame of 8-bit sRGB, with or without straight alpha."""
    if extension == "webp":
        options = _WEBP_FLAT if _is_flat(image, _FLAT_STILL) else _WEBP_STILL
        return bytes(image.webpsave_buffer(**options))
    if extension == "png":
        return bytes(image.pngsave_buffer(**_PNG))
    if extension == "avif":
        return bytes(image.heifsave_buffer(**_AVIF))
    raise ValueError(f"no still encoder for {extension}")


def encode_animation(frames: Sequence[pyvips.Image], extension: str, motion: Motion) -> bytes:
    """Encode equal-sized frames with exactly this timing."""
    roll = pyvips.Image.arrayjoin(list(frames), across=1).copy()
    roll.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    is_long = len(frames) * frames[0].width * frames[0].height > _LONG
    if extension == "webp":
        _set_motion(roll, [STEP_MS] * len(frames), plays=0)
        options = _WEBP_LONG if is_long else _WEBP_MOVING
        if not is_long and _is_flat(frames[0], _FLAT_MOVING):
            options = _WEBP_FLAT
        encoded = bytes(roll.webpsave_buffer(**options))
        return set_timing(encoded, delays=motion.delays, plays=motion.plays)
    if extension == "gif":
        _set_motion(roll, gif_delays(motion.delays), plays=motion.plays)
        return bytes(roll.gifsave_buffer(**(_GIF_LONG if is_long else _GIF)))
    raise ValueError(f"no animation encoder for {extension}")


def _set_motion(roll: pyvips.Image, delays: Sequence[int], *, plays: int) -> None:
    roll.set_type(pyvips.GValue.array_int_type, "delay", list(delays))
    roll.set_type(pyvips.GValue.gint_type, "loop", plays)


def _is_flat(image: pyvips.Image, share: float) -> bool:
    if image.width * image.height <= _TINY:
        return True
    if image.width == 1:
        return False
    left = image.crop(0, 0, image.width - 1, image.height)
    right = image.crop(1, 0, image.width - 1, image.height)
    return bool((left == right).bandand().avg() >= share * _FULL)
