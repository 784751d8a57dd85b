"""The argument that names a user, checked before anything is done with it."""

from __future__ import annotations

from typing import Annotated

import typer

from emoji_gallery.contracts.ids import MAX_USER_ID_CHARACTERS, UserId, is_user_id


def parse_subject(text: str) -> UserId:
    """A user id; raises `typer.BadParameter`."""
    if not is_user_id(text):
        raise typer.BadParameter(
            f"a user id has 1 to {MAX_USER_ID_CHARACTERS} printable characters"
        )
    return UserId(text)


Subject = Annotated[
    str, typer.Argument(metavar="USER_ID", parser=parse_subject, help="The user's `sub`.")
]
