"""Turns pixels into the four output formats: deterministic, with no metadata at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyvips

from emoji_gallery.media.timing import gif_delays
from emoji_gallery.media.webp_animation import STEP_MS, set_timing

_WEBP: Final = {"Q": 85, "alpha_q": 100, "effort": 2, "keep": "none"}
_PNG: Final = {"compression": 6, "filter": "all", "keep": "none"}
_GIF: Final = {"effort": 5, "keep_duplicate_frames": True, "keep": "none"}
_AVIF: Final = {"Q": 65, "compression": "av1", "effort": 3, "bitdepth": 8, "keep": "none"}


@dataclass(frozen=True, slots=True)
class Motion:
    """An animation's delay in ms for each frame, and how often it plays (0 = for ever)."""

    delays: Sequence[int]
    plays: int


def encode_still(image: pyvips.Image, extension: str) -> bytes:
    """Encode one frame of 8-bit sRGB, with or without straight alpha."""
    if extension == "webp":
        return bytes(image.webpsave_buffer(**_WEBP))
    if extension == "png":
        return bytes(image.pngsave_buffer(**_PNG))
    if extension == "avif":
        return bytes(image.heifsave_buffer(**_AVIF))
    raise ValueError(f"no still encoder for {extension}")


def encode_animation(frames: Sequence[pyvips.Image], extension: str, motion: Motion) -> bytes:
    """Encode equal-sized frames with exactly this timing."""
    roll = pyvips.Image.arrayjoin(list(frames), across=1).copy()
    roll.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    if extension == "webp":
        _set_motion(roll, [STEP_MS] * len(frames), plays=0)
        encoded = bytes(roll.webpsave_buffer(**_WEBP))
        return set_timing(encoded, delays=motion.delays, plays=motion.plays)
    if extension == "gif":
        _set_motion(roll, gif_delays(motion.delays), plays=motion.plays)
        return bytes(roll.gifsave_buffer(**_GIF))
    raise ValueError(f"no animation encoder for {extension}")


def _set_motion(roll: pyvips.Image, delays: Sequence[int], *, plays: int) -> None:
    roll.set_type(pyvips.GValue.array_int_type, "delay", list(delays))
    roll.set_type(pyvips.GValue.gint_type, "loop", plays)
