"""Who is asking, told once for a request and before anything else looks at it.

`Identify` puts the actor, or the refusal of its token, into the ASGI scope. Limits and the
page cache read it there; endpoints ask for `CurrentActor` or `SignedInActor`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from emoji_gallery.contracts.identity import Actor, Identities
from emoji_gallery.contracts.identity import Scope as ActorScope
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.errors import (
    ForbiddenError,
    InvalidInputError,
    ProblemError,
    UnauthenticatedError,
)

_KEY: Final = "emoji_gallery.caller"

# Paths whose answer does not depend on a token: signatures or nothing protect them.
TOKENLESS_PREFIXES: Final = ("/media/", "/health/", "/metrics", "/openapi.json", "/docs")


@dataclass(frozen=True)
class Identify:
    """ASGI middleware that finds out who is asking."""

    app: ASGIApp
    identities: Identities
    tokenless: Sequence[str] = TOKENLESS_PREFIXES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Identify the caller of an HTTP request and hand it on."""
        if scope["type"] == "http" and not scope["path"].startswith(tuple(self.tokenless)):
            scope[_KEY] = await self._caller(scope)
        await self.app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Actor | ProblemError:
        authorization: str | None = None
        acting_for: str | None = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                if authorization is not None:
                    return InvalidInputError("Authorization was sent twice.")
                authorization = value.decode("latin-1")
            elif name == b"emoji-actor":
                acting_for = value.decode("latin-1")
        try:
            return await self.identities.authenticate(authorization, acting_for)
        except ProblemError as refusal:
            return refusal


def caller_of(scope: Scope) -> Actor | ProblemError | None:
    """The actor or the refusal of a request; None on paths where nobody is asked."""
    caller: Actor | ProblemError | None = scope.get(_KEY)
    return caller


# States in the OpenAPI document that a token may be sent; `Identify` has read it by then.
_BEARER: Final = HTTPBearer(auto_error=False, description="A JWT, or an API key (`egk_…`).")


async def _current_actor(
    request: Request, _token: Annotated[object, Security(_BEARER)] = None
) -> Actor:
    caller = caller_of(request.scope)
    if caller is None:
        message = f"{request.url.path} is a tokenless path"
        raise LookupError(message)
    if isinstance(caller, ProblemError):
        raise caller
    return caller


CurrentActor = Annotated[Actor, Depends(_current_actor)]


async def _signed_in_actor(actor: CurrentActor) -> Actor:
    if actor.is_anonymous:
        raise UnauthenticatedError
    return actor


SignedInActor = Annotated[Actor, Depends(_signed_in_actor)]


async def _signed_in_user(actor: SignedInActor) -> UserId:
    if actor.user_id is None:
        raise UnauthenticatedError
    return actor.user_id


SignedInUser = Annotated[UserId, Depends(_signed_in_user)]


@dataclass(frozen=True)
class RequireScope:
    """A FastAPI dependency: refuse callers without one of these scopes."""

    scopes: tuple[ActorScope, ...]

    async def __call__(self, actor: SignedInActor) -> Actor:
        """The actor; raises `ForbiddenError` when it carries none of the scopes."""
        if not any(actor.has_scope(scope) for scope in self.scopes):
            raise ForbiddenError(f"This needs the scope {' or '.join(self.scopes)}.")
        return actor
