from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoji_gallery.kit.errors import ProblemError
from emoji_gallery.user_emojis.endpoints.multipart import Form, FormReader, boundary_of
from emoji_gallery.user_emojis.errors import InvalidFormError, NotAFormError

BOUNDARY = b"limit"
FILE = b'Content-Disposition: form-data; name="file"; filename="cat.png"'
CONTENT = b"\x89PNG\r\n--limi\r\n--limit-\r\nnot yet\r\n--limitless"


def part(head: bytes, content: bytes) -> bytes:
    return b"--" + BOUNDARY + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


def field(name: str, content: bytes) -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"'.encode(), content)


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


def read(pieces: Iterable[bytes]) -> tuple[bytes, Form]:
    reader = FormReader(BOUNDARY)
    content = b"".join(reader.feed(piece) for piece in pieces)
    return content, reader.close()


def refusal(whole: bytes) -> ProblemError:
    with pytest.raises(InvalidFormError) as caught:
        read([whole])
    assert caught.value.status == 422
    assert caught.value.code == "validation_error"
    return caught.value


def test_a_whole_form_is_read() -> None:
    content, form = read(
        [body(part(FILE, CONTENT), field("name", "k\u00e4tzchen".encode()), field("tags", b"a"))]
    )
    assert content == CONTENT
    assert form == Form(file_name="cat.png", name="k\u00e4tzchen", tags=["a"])


def test_fields_may_come_before_the_file() -> None:
    _, form = read([body(field("tags", b"a"), field("tags", b"b"), part(FILE, b"x"))])
    assert form.tags == ["a", "b"]


@given(st.lists(st.integers(1, 40), min_size=1))
def test_it_does_not_matter_how_the_body_is_cut_into_pieces(sizes: list[int]) -> None:
    whole = body(field("name", b"cat"), part(FILE, CONTENT), field("tags", b"a"))
    pieces = []
    while whole:
        for size in sizes:
            pieces.append(whole[:size])
            whole = whole[size:]
    content, form = read(pieces)
    assert content == CONTENT
    assert form == Form(file_name="cat.png", name="cat", tags=["a"])


def test_an_empty_file_is_a_file() -> None:
    content, form = read([body(part(FILE, b""))])
    assert content == b""
    assert form.file_name == "cat.png"


def test_the_names_of_header_and_disposition_are_read_in_any_case() -> None:
    head = b'CONTENT-disposition: Form-Data; NAME=file; FileName="a;b.png"\r\nContent-Type: x/y'
    _, form = read([body(part(head, b"x"))])
    assert form.file_name == "a;b.png"


def test_a_file_name_of_other_bytes_than_utf_8_does_not_refuse_the_file() -> None:
    head = b'Content-Disposition: form-data; name="file"; filename="c\xe4t.png"'
    _, form = read([body(part(head, b"x"))])
    assert form.file_name == "c\N{REPLACEMENT CHARACTER}t.png"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((), "no file"),
        ((field("name", b"cat"),), "no file"),
        ((part(FILE, b"1"), part(FILE, b"2")), "two files"),
        ((field("name", b"1"), field("name", b"2")), "two names"),
        ((field("colour", b"red"),), "not known"),
        ((field("file", b"text"),), "as text"),
        ((field("tags", b"x"),) * 21, "at most 20 tags"),
        ((field("name", b"x" * 5000),), "too long"),
        ((field("name", b"\xff"),), "not UTF-8"),
        ((part(b"Content-Type: text/plain", b"x"),), "no name"),
        ((part(b'Content-Disposition: attachment; name="file"', b"x"),), "no name"),
        ((part(FILE + b"\r\nContent-Transfer-Encoding: base64", b"eA=="),), "transfer encoding"),
        ((part(b"\r\n".join([b"X: y"] * 9), b"x"),), "well-formed"),
        ((part(FILE + b"; x=" + b"y" * 5000, b"x"),), "well-formed"),
    ],
)
def test_a_form_that_breaks_a_rule_is_refused(parts: tuple[bytes, ...], said: str) -> None:
    assert said in refusal(body(*parts)).detail


@pytest.mark.parametrize(
    "whole",
    [
        b"",
        b"not a form at all",
        b"--other\r\n\r\n",
        part(FILE, b"x"),
        part(FILE, b"x") + b"--" + BOUNDARY,
        part(FILE, b"x") + b"--" + BOUNDARY + b"-",
    ],
)
def test_a_body_that_is_cut_off_or_no_form_is_refused(whole: bytes) -> None:
    refusal(whole)


def test_a_plain_transfer_encoding_is_fine() -> None:
    content, _ = read([body(part(FILE + b"\r\nContent-Transfer-Encoding: BINARY", b"x"))])
    assert content == b"x"


def test_the_boundary_is_taken_from_the_content_type() -> None:
    assert boundary_of('multipart/form-data; charset=utf-8; boundary="a b"') == b"a b"


@pytest.mark.parametrize(
    "content_type",
    [None, "", "application/x-www-form-urlencoded", "multipart/form-data",
     "multipart/form-data; boundary="],
)  # fmt: skip
def test_a_form_that_can_hold_no_file_is_not_valid(content_type: str | None) -> None:
    with pytest.raises(InvalidFormError):
        boundary_of(content_type)


@pytest.mark.parametrize("content_type", ["application/json", "image/png", "multipart/mixed"])
def test_a_body_that_is_no_form_is_of_an_unsupported_type(content_type: str) -> None:
    with pytest.raises(NotAFormError) as caught:
        boundary_of(content_type)
    assert (caught.value.status, caught.value.code) == (415, "unsupported_media_type")


def test_a_boundary_without_end_is_refused() -> None:
    with pytest.raises(InvalidFormError):
        FormReader(b"x" * 300)
