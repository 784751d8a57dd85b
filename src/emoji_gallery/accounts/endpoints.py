"""`/users`: what services and admins do with users, and users with themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from emoji_gallery.accounts.schemas import ExportBody, TierChange, UserBody
from emoji_gallery.accounts.service.erasure import EraseUser
from emoji_gallery.accounts.service.export import ExportUser
from emoji_gallery.accounts.service.users import Users
from emoji_gallery.edge.auth import RequireScope, SignedInActor
from emoji_gallery.edge.documented_problems import problems
from emoji_gallery.edge.paths import UserIdPath
from emoji_gallery.edge.provide import Provided
from emoji_gallery.kit.errors import ForbiddenError, NotFoundError

_PRIVATE: Final = {"Cache-Control": "private, no-store"}


def _keep_private(response: Response) -> None:
    response.headers.update(_PRIVATE)


router = APIRouter(prefix="/users", tags=["users"], dependencies=[Depends(_keep_private)])

KnownUsers = Annotated[Users, Provided(Users)]
Erasure = Annotated[EraseUser, Provided(EraseUser)]
Export = Annotated[ExportUser, Provided(ExportUser)]

for_services = Depends(RequireScope(("service",)))
for_services_and_admins = Depends(RequireScope(("service", "admin")))


@router.put("/{user_id}", dependencies=[for_services], responses=problems(ForbiddenError))
async def put_user(user_id: UserIdPath, change: TierChange, users: KnownUsers) -> UserBody:
    """Put a user on a tier, or give the tier back to the claim of the user's token."""
    return UserBody.of(await users.put_on_tier(user_id, change.tier))


@router.get("/{user_id}", responses=problems(NotFoundError))
async def get_user(user_id: UserIdPath, actor: SignedInActor, users: KnownUsers) -> UserBody:
    """A user: for the user, services and admins."""
    return UserBody.of(await users.read(actor, user_id))


@router.get("/{user_id}/export", responses=problems(NotFoundError))
async def export_user(user_id: UserIdPath, actor: SignedInActor, export: Export) -> ExportBody:
    """All that is kept of a user: for the user, services and admins."""
    return ExportBody.of(await export.export(actor, user_id))


@router.delete(
    "/{user_id}",
    dependencies=[for_services_and_admins],
    status_code=HTTPStatus.NO_CONTENT,
    responses={
        HTTPStatus.NO_CONTENT: {"description": "Everything is erased."},
        HTTPStatus.ACCEPTED: {"description": "A part is still to be erased, and will be."},
        **problems(ForbiddenError),
    },
)
async def delete_user(user_id: UserIdPath, erasure: Erasure) -> Response:
    """Erase a user for good: uploads, keys, settings. Doing it again changes nothing."""
    complete = await erasure.erase(user_id)
    status = HTTPStatus.NO_CONTENT if complete else HTTPStatus.ACCEPTED
    return Response(status_code=status.value, headers=_PRIVATE)
