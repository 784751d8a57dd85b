"""Holds a picture's headers against the bounds of its owner's tier."""

from emoji_gallery.media.errors import ImageRejectedError, Rejection
from emoji_gallery.media.types import Limits


def check_limits(limits: Limits, *, width: int, height: int, frames: int) -> None:
    """Refuse a raster that passes a bound, naming the first bound that is passed."""
    if width < 1 or height < 1 or frames < 1:
        raise ImageRejectedError(Rejection.DAMAGED)
    for reason, limit, actual in (
        (Rejection.DIMENSIONS_TOO_LARGE, limits.max_side, max(width, height)),
        (Rejection.TOO_MANY_PIXELS, limits.max_frame_pixels, width * height),
        (Rejection.TOO_MANY_FRAMES, limits.max_frames, frames),
        (Rejection.ANIMATION_TOO_LARGE, limits.max_total_pixels, width * height * frames),
    ):
        if actual > limit:
            raise ImageRejectedError(reason, limit=limit, actual=actual)
