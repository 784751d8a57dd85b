"""What the use cases ask of the door that uploads come through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What a client says of its file; nothing of it has been checked."""

    file_name: str
    name: str | None
    tags: Sequence[str]


class IncomingUpload(Protocol):
    """The body of an upload, of which nothing is read before it is asked for."""

    @property
    def declared_bytes(self) -> int | None:
        """The length that the client announced; it may lie."""
        ...

    @property
    def received_bytes(self) -> int:
        """How much of the body has been read."""
        ...

    def file_pieces(self) -> AsyncIterator[bytes]:
        """The bytes of the file as they come; an empty piece for a chunk that held none.

        Raises `InvalidFormError`, `SlowBodyError`, and `UploadInterruptedError` when the client
        goes away.
        """
        ...

    def form(self) -> UploadForm:
        """The rest of the form, once all pieces have come; raises `InvalidFormError`."""
        ...
