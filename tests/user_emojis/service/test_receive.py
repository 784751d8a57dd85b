from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.errors import ProblemError
from emoji_gallery.media.sniff import SNIFF_BYTES
from emoji_gallery.user_emojis.errors import (
    FileTooLargeError,
    UnsupportedFormatError,
)
from emoji_gallery.user_emojis.ports import UploadForm
from emoji_gallery.user_emojis.service.receive import Received, receive
from emoji_gallery.user_emojis.service.spool import Spool, SpoolFile

CAP = 10_000
MIB = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Incoming:
    """A body whose pieces are known beforehand."""

    pieces: Sequence[bytes]
    file_name: str = "cat.png"
    name: str | None = None
    tags: Sequence[str] = ()
    declared_bytes: int | None = None
    frame_bytes: int = 0
    received_bytes: int = 0

    async def file_pieces(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.received_bytes += len(piece) + self.frame_bytes
            yield piece

    def form(self) -> UploadForm:
        return UploadForm(file_name=self.file_name, name=self.name, tags=self.tags)


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[SpoolFile]:
    spool = Spool(tmp_path, max_bytes=MIB)
    async with spool.running(), spool.file() as file:
        yield file


async def refusal(incoming: Incoming, file: SpoolFile) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        await receive(incoming, file, cap=CAP)
    return caught.value


@pytest.mark.parametrize("piece_size", [1, 7, SNIFF_BYTES - 1, SNIFF_BYTES, CAP])
async def test_a_file_of_exactly_the_cap_is_taken_in(file: SpoolFile, piece_size: int) -> None:
    content = PNG + bytes(range(200)) * 49 + b"x" * (CAP - 8 - 9_800)
    pieces = [content[at : at + piece_size] for at in range(0, CAP, piece_size)]
    received = await receive(Incoming(pieces), file, cap=CAP)
    assert received == Received(
        digest=received.digest, size=CAP, original_name="cat.png", name=None, tags=()
    )
    assert received.digest == hashlib.sha256(content).hexdigest()
    assert file.path.read_bytes() == content


async def test_a_file_shorter_than_what_decides_its_format_is_taken_in(file: SpoolFile) -> None:
    await receive(Incoming([PNG[:3], PNG[3:]]), file, cap=CAP)
    assert file.path.read_bytes() == PNG


async def test_one_byte_over_the_cap_is_refused_with_the_cap(file: SpoolFile) -> None:
    error = await refusal(Incoming([PNG, b"x" * (CAP - 7)]), file)
    assert isinstance(error, FileTooLargeError)
    assert (error.status, error.code, error.fields) == (413, "file_too_large", {"limit": CAP})


async def test_the_cap_is_judged_before_the_format(file: SpoolFile) -> None:
    assert isinstance(await refusal(Incoming([b"x" * (CAP + 1)]), file), FileTooLargeError)


async def test_a_declared_length_far_past_the_cap_is_refused_unread(file: SpoolFile) -> None:
    incoming = Incoming([PNG], declared_bytes=CAP + 2 * MIB)
    assert isinstance(await refusal(incoming, file), FileTooLargeError)
    assert incoming.received_bytes == 0


async def test_a_declared_length_that_the_form_explains_is_not(file: SpoolFile) -> None:
    received = await receive(Incoming([PNG], declared_bytes=CAP + 1000), file, cap=CAP)
    assert received.size == len(PNG)


async def test_a_body_that_goes_on_and_on_around_its_file_is_refused(file: SpoolFile) -> None:
    incoming = Incoming([PNG, b"", b""], frame_bytes=MIB)
    assert isinstance(await refusal(incoming, file), FileTooLargeError)


@pytest.mark.parametrize("content", [b"x", b"x" * SNIFF_BYTES, b"x" * CAP, b"%PDF-1.7"])
async def test_bytes_of_no_known_format_are_refused_and_never_written(
    file: SpoolFile, content: bytes
) -> None:
    error = await refusal(Incoming([content[:5], content[5:]]), file)
    assert isinstance(error, UnsupportedFormatError)
    assert (error.status, error.code) == (415, "unsupported_media_type")
    assert not file.path.exists()


async def test_an_empty_file_is_received_as_such(file: SpoolFile) -> None:
    received = await receive(Incoming([]), file, cap=CAP)
    assert (received.size, received.digest) == (0, hashlib.sha256(b"").hexdigest())


async def test_what_a_client_says_is_kept_as_it_came_but_for_the_file_name(
    file: SpoolFile,
) -> None:
    incoming = Incoming([PNG], file_name="C:\\me\\cat\u202e.png", name="a\nb", tags=["", "x"])
    received = await receive(incoming, file, cap=CAP)
    assert received.original_name == "cat.png"
    assert (received.name, received.tags) == ("a\nb", ("", "x"))


def test_the_fingerprint_tells_uploads_apart_by_every_field() -> None:
    first = Received(digest=Digest("a"), size=1, original_name="cat.png", name=None, tags=())
    others = [
        replace(first, digest=Digest("b")),
        replace(first, original_name="dog.png"),
        replace(first, name="cat"),
        replace(first, tags=("cat", "dog")),
        replace(first, tags=("cat",)),
    ]
    assert len({upload.fingerprint for upload in [first, *others]}) == 6
    assert replace(first).fingerprint == first.fingerprint
