"""Why this feature refuses something."""

from __future__ import annotations

from emoji_gallery.kit.errors import InvalidInputError, ProblemError


class InvalidFormError(InvalidInputError):
    """The body is not the form that an upload is."""


class NotAFormError(ProblemError):
    """The body is of a kind that carries no form."""

    status = 415
    code = "unsupported_media_type"
    title = "An upload is sent as multipart/form-data."


class UnsupportedFormatError(ProblemError):
    """The bytes are of no format that is taken, whatever their name or declared type."""

    status = 415
    code = "unsupported_media_type"
    title = "The file is not of a format that is taken."


class FileTooLargeError(ProblemError):
    """The file passes the cap of the caller's tier."""

    status = 413
    code = "file_too_large"
    title = "The file is too large."

    def __init__(self, limit: int) -> None:
        """Name the cap, in bytes."""
        super().__init__(f"A file may have {limit} bytes.", limit=limit)


class ImageRefusedError(ProblemError):
    """The file is of a format that is taken, but this one is not."""

    status = 422
    code = "image_rejected"
    title = "The picture was refused."

    def __init__(self, reason: str, *, limit: int | None = None, actual: int | None = None) -> None:
        """Name the reason, and the limit and what passed it where one was passed."""
        super().__init__(f"The picture was refused: {reason}.", reason=reason)
        if limit is not None:
            self.fields = {**self.fields, "limit": limit, "actual": actual}


class SlowBodyError(ProblemError):
    """The body came more slowly than the service waits for (RFC 9110, 15.5.9)."""

    status = 408
    code = "request_timeout"
    title = "The body came too slowly."

    def __init__(self) -> None:
        """Ask the client for a new connection: the rest of this body is not read."""
        super().__init__(headers={"Connection": "close"})


class UploadInterruptedError(ProblemError):
    """The client went away before its body was complete; nobody reads this answer."""

    status = 400
    code = "upload_interrupted"
    title = "The connection closed before the body was complete."


class UploadLimitReachedError(ProblemError):
    """The owner has as many emojis as the tier allows."""

    status = 403
    code = "upload_limit_reached"
    title = "You have as many emojis as your tier allows."

    def __init__(self, *, tier: str, limit: int, used: int) -> None:
        """Name the tier, its limit and what is used, which a downgrade may leave above it."""
        super().__init__(
            f"Tier {tier} allows {limit} emojis and you have {used}.",
            tier=tier,
            limit=limit,
            used=used,
        )
