"""Errors that a client gets to see.

Each is a class with an HTTP status, a stable code and a public title. What is given to
the constructor is public too: details for the operator go to the log instead.
`edge.problems` renders them as `application/problem+json` (RFC 9457).
"""

from __future__ import annotations

from typing import ClassVar

from emoji_gallery.kit.jsontypes import JSON


class ProblemError(Exception):
    """An answer that refuses a request. Subclasses state status, code and title."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side."

    def __init__(
        self, detail: str = "", *, headers: dict[str, str] | None = None, **fields: JSON
    ) -> None:
        """Keep a public sentence, headers to send and fields that a program can act on."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.headers = headers or {}
        self.fields = fields


class InvalidInputError(ProblemError):
    """The request is well-formed HTTP, but a parameter or field breaks a rule."""

    status = 422
    code = "validation_error"
    title = "The request is not valid."


class NotFoundError(ProblemError):
    """There is no such thing, or the caller may not know that there is."""

    status = 404
    code = "not_found"
    title = "There is nothing here."


class ForbiddenError(ProblemError):
    """The caller is known and may not do this."""

    status = 403
    code = "forbidden"
    title = "You may not do this."


class UnauthenticatedError(ProblemError):
    """No token where one is needed, or one that does not hold (RFC 6750)."""

    status = 401
    code = "unauthenticated"
    title = "A valid bearer token is needed."

    def __init__(self, detail: str = "", *, given: bool = False) -> None:
        """Challenge the client; `given` says that it sent a token that was refused."""
        challenge = 'Bearer realm="emoji-gallery"'
        if given:
            challenge += ', error="invalid_token"'
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class PreconditionFailedError(ProblemError):
    """An `If-Match` named a state that is no longer the present one."""

    status = 412
    code = "precondition_failed"
    title = "The resource has changed since you read it."


class UnavailableError(ProblemError):
    """A part that this request needs is away; trying again later makes sense."""

    status = 503
    code = "unavailable"
    title = "A part of the service is not available right now."

    def __init__(self, detail: str = "", *, retry_after: int = 1) -> None:
        """Tell the client to wait `retry_after` seconds."""
        super().__init__(detail, headers={"Retry-After": str(retry_after)})
