"""TypeIDs: a prefix and a UUIDv7 in Crockford's base 32 (the jetify typeid spec, 0.3).

On the wire an id reads `emj_01m84f9s25ejr8arrbj9pxa3ms`; the database stores the UUID.
"""

from __future__ import annotations

from uuid import UUID

import uuid_utils
from typeid import TypeID
from typeid.errors import TypeIDException


class InvalidIdError(ValueError):
    """The text is not an id of the kind that was asked for."""


def new_uuid() -> UUID:
    """A UUIDv7 (RFC 9562): later ones sort after earlier ones, to the millisecond."""
    return UUID(int=uuid_utils.uuid7().int)


def format_id(prefix: str, value: UUID) -> str:
    """The wire form of a UUID, as `<prefix>_<26 characters>`."""
    return str(TypeID.from_uuid(uuid_utils.UUID(int=value.int), prefix))


def parse_id(prefix: str, text: str) -> UUID:
    """The UUID of a wire id; raises `InvalidIdError` for anything but `<prefix>_…`."""
    try:
        typeid = TypeID.from_string(text)
    except (TypeIDException, ValueError) as error:
        raise InvalidIdError(text) from error
    if typeid.prefix != prefix:
        raise InvalidIdError(text)
    return UUID(int=typeid.uuid.int)
