"""Why a source was refused. Other layers turn these into answers."""

from enum import StrEnum


class Rejection(StrEnum):
    """The stable reason codes of a refused picture."""

    EMPTY = "empty"
    DAMAGED = "damaged"
    FILE_TOO_LARGE = "file_too_large"
    DIMENSIONS_TOO_LARGE = "dimensions_too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_FRAMES = "too_many_frames"
    ANIMATION_TOO_LARGE = "animation_too_large"
    UNSAFE_SVG = "unsafe_svg"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"


class MediaError(Exception):
    """Anything that media refuses or cannot do."""


class UnsupportedMediaError(MediaError):
    """The bytes are of no format that is taken, or of a variant that is not taken."""


class ImageRejectedError(MediaError):
    """A picture of a taken format that is damaged, unsafe or past a limit.

    `limit` and `actual` are set together, where a number was passed: pixels for sizes, frames for
    frame counts, milliseconds for time.
    """

    def __init__(
        self, reason: Rejection, *, limit: int | None = None, actual: int | None = None
    ) -> None:
        """Keep the reason, and the numbers where one was passed."""
        super().__init__(str(reason))
        self.reason = reason
        self.limit = limit
        self.actual = actual


class RendererUnavailableError(MediaError):
    """No child was free in time, or none can be started; the job may be tried again later."""


class UnknownRenditionError(MediaError):
    """A rendition was asked for that the picture does not have."""
