from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import chain, repeat

import pytest
from fastapi import Request
from starlette.types import Message, Receive

from emoji_gallery.kit.errors import ProblemError
from emoji_gallery.user_emojis.endpoints.body import Pace, UploadBody, body_of_upload
from emoji_gallery.user_emojis.errors import (
    InvalidFormError,
    NotAFormError,
    SlowBodyError,
    UploadInterruptedError,
)

PATIENT = Pace(idle_seconds=30, min_bytes_per_second=0)
KIB = b"x" * 1024
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="cat.png"\r\n\r\n',
    b"meow",
    b'\r\n--b\r\nContent-Disposition: form-data; name="name"\r\n\r\ncat\r\n--b--\r\n',
)


upload_body = asynccontextmanager(body_of_upload)


class Chunks:
    """What a server hands to an application: the chunks, then the end of the body."""

    def __init__(self, chunks: Iterable[bytes | None]) -> None:
        self.left: Iterator[bytes | None] = iter(chunks)
        self.taken = 0

    async def receive(self) -> Message:
        chunk = next(self.left, b"")
        if chunk is None:
            return {"type": "http.disconnect"}
        self.taken += 1
        return {"type": "http.request", "body": chunk, "more_body": chunk != b""}


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


def request(receive: Receive, headers: dict[str, str] | None = None) -> Request:
    given = {"Content-Type": "multipart/form-data; boundary=b"} | (headers or {})
    raw = [(name.lower().encode(), value.encode()) for name, value in given.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive)


async def file_of(body: UploadBody) -> bytes:
    return b"".join([piece async for piece in body.file_pieces()])


async def test_file_and_form_come_out_of_the_chunks() -> None:
    async with upload_body(request(Chunks(FORM).receive), PATIENT) as body:
        assert await file_of(body) == b"meow"
        assert (body.form().file_name, body.form().name) == ("cat.png", "cat")
        assert body.received_bytes == sum(map(len, FORM))


@pytest.mark.parametrize(
    ("header", "declared"),
    [("12", 12), ("0", 0), ("-1", None), ("1e3", None), ("", None), ("\u0665", None)],
)
async def test_the_declared_length_is_a_number_or_nothing(
    header: str, declared: int | None
) -> None:
    body = UploadBody(request(never, {"Content-Length": header}), PATIENT, now=lambda: 0)
    assert body.declared_bytes == declared


async def test_the_form_is_asked_for_after_the_body_only() -> None:
    body = UploadBody(request(never), PATIENT, now=lambda: 0)
    with pytest.raises(RuntimeError):
        body.form()


async def test_a_refusal_waits_until_the_rest_of_the_body_is_read() -> None:
    chunks = Chunks([FORM[0], *repeat(KIB, 5)])
    with pytest.raises(InvalidFormError):
        async with upload_body(request(chunks.receive), PATIENT):
            raise InvalidFormError
    assert chunks.taken == 7


async def test_a_refused_body_without_end_is_read_up_to_a_bound() -> None:
    chunks = Chunks(repeat(KIB * 1024))
    with pytest.raises(NotAFormError):
        async with upload_body(
            request(chunks.receive, {"Content-Type": "image/png"}), PATIENT
        ) as body:
            await file_of(body)
    assert chunks.taken == 64


async def test_a_malformed_body_is_read_to_its_end_before_it_is_refused() -> None:
    chunks = Chunks([b"nonsense", *repeat(KIB, 3)])
    with pytest.raises(InvalidFormError):
        async with upload_body(request(chunks.receive), PATIENT) as body:
            await file_of(body)
    assert chunks.taken == 5


async def test_a_body_of_which_nothing_more_comes_is_cut() -> None:
    pace = Pace(idle_seconds=0.05, min_bytes_per_second=0)
    with pytest.raises(SlowBodyError) as caught:
        async with upload_body(request(never), pace) as body:
            await file_of(body)
    assert (caught.value.status, caught.value.code) == (408, "request_timeout")
    assert caught.value.headers == {"Connection": "close"}


async def test_a_body_below_the_least_rate_is_cut_after_the_grace() -> None:
    ticks = iter([0.0, 9.0, 19.0, 21.0])
    chunks = Chunks(chain([FORM[0]], repeat(b"x")))
    pace = Pace(idle_seconds=30, min_bytes_per_second=100, grace_seconds=20)
    body = UploadBody(request(chunks.receive), pace, now=lambda: next(ticks))
    with pytest.raises(SlowBodyError):
        await file_of(body)
    assert chunks.taken == 3


async def test_who_asks_whether_to_send_is_not_invited_to() -> None:
    chunks = Chunks([FORM[0]])
    with pytest.raises(InvalidFormError):
        async with upload_body(request(chunks.receive, {"Expect": "100-continue"}), PATIENT):
            raise InvalidFormError
    assert chunks.taken == 0


async def test_who_was_invited_and_began_is_read_to_the_end() -> None:
    chunks = Chunks([b"nonsense", KIB])
    with pytest.raises(InvalidFormError):
        async with upload_body(
            request(chunks.receive, {"Expect": "100-continue"}), PATIENT
        ) as body:
            await file_of(body)
    assert chunks.taken == 3


async def test_a_body_at_the_least_rate_is_taken() -> None:
    seconds = iter(range(0, 1000, 10))
    chunks = Chunks([FORM[0], *repeat(KIB, 20), FORM[2]])
    pace = Pace(idle_seconds=30, min_bytes_per_second=100, grace_seconds=20)
    body = UploadBody(request(chunks.receive), pace, now=lambda: next(seconds))
    assert await file_of(body) == KIB * 20


@pytest.mark.parametrize("chunks", [[None], [FORM[0], None], [FORM[0], FORM[1], None]])
async def test_a_client_that_goes_away_interrupts_the_upload(chunks: list[bytes | None]) -> None:
    with pytest.raises(UploadInterruptedError) as caught:
        async with upload_body(request(Chunks(chunks).receive), PATIENT) as body:
            await file_of(body)
    assert isinstance(caught.value, ProblemError)
