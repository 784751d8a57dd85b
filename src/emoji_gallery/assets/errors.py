"""What this feature refuses."""

from __future__ import annotations

from emoji_gallery.kit.errors import ForbiddenError, ProblemError


class AssetNotHeldError(RuntimeError):
    """An asset was registered that nobody ingested in the last hour: its file may be gone."""


class UnsignedError(ForbiddenError):
    """The URL carries no signature that holds."""

    title = "This URL is not signed, or its signature has expired."


class RangeNotSatisfiableError(ProblemError):
    """The range names no byte of the file (RFC 9110, 15.5.17)."""

    status = 416
    code = "range_not_satisfiable"
    title = "The file has no such bytes."

    def __init__(self, size: int) -> None:
        """Tell how many bytes there are."""
        super().__init__(headers={"Content-Range": f"bytes */{size}"}, size=size)
