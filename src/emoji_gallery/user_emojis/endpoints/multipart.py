"""The form of an upload, taken apart as it comes (RFC 7578).

`FormReader` is fed the body in whatever pieces it arrives in. It hands out the bytes of
`file` at once and keeps only what is small and bounded: the other fields and the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from emoji_gallery.user_emojis.errors import InvalidFormError, NotAFormError
from emoji_gallery.user_emojis.rules.names import MAX_NAME_CHARACTERS
from emoji_gallery.user_emojis.rules.tags import MAX_TAG_CHARACTERS, MAX_TAGS

_MAX_HEADERS: Final = 8
_MAX_HEADER_BYTES: Final = 4096
_BYTES_A_CHARACTER: Final = 4
# Longer values break the fields' own rules; this only keeps them from filling the memory.
_MAX_VALUE_BYTES: Final = 4 * _BYTES_A_CHARACTER * max(MAX_NAME_CHARACTERS, MAX_TAG_CHARACTERS)

_PLAIN_ENCODINGS: Final = frozenset({"", "7bit", "8bit", "binary"})
_FORM_TYPES: Final = frozenset({b"", b"application/x-www-form-urlencoded"})


@dataclass
class Form:
    """What came beside the bytes of the file."""

    file_name: str | None = None
    name: str | None = None
    tags: list[str] = field(default_factory=list)


def boundary_of(content_type: str | None) -> bytes:
    """The boundary that a `Content-Type` header names.

    Raises `InvalidFormError` for a form that cannot hold a file, `NotAFormError` for what
    is not a form.
    """
    media_type, options = parse_options_header(content_type)
    if media_type in _FORM_TYPES:
        raise InvalidFormError("Send the picture as `file` in multipart/form-data.", field="file")
    if media_type != b"multipart/form-data":
        raise NotAFormError
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise InvalidFormError("The Content-Type names no boundary.", field="Content-Type")
    return boundary


class FormReader:
    """Reads one form; of no use after it has raised."""

    def __init__(self, boundary: bytes) -> None:
        """Read parts that are separated by a boundary; raises `InvalidFormError`."""
        self._form = Form()
        self._part = _Part()
        self._file_pieces: list[bytes] = []
        self._complete = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_header_name,
                    "on_header_value": self._add_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._add_data,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
                max_header_count=_MAX_HEADERS,
                max_header_size=_MAX_HEADER_BYTES,
            )
        except FormParserError as error:
            raise InvalidFormError("The boundary is too long.", field="Content-Type") from error

    def feed(self, chunk: bytes) -> bytes:
        """Take the next piece of the body; returns the bytes of `file` that it held.

        Raises `InvalidFormError` as soon as the form is known to break a rule.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise InvalidFormError("The body is not well-formed multipart/form-data.") from error
        pieces, self._file_pieces = self._file_pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> Form:
        """The fields, once the body has ended; raises `InvalidFormError` if it was cut off."""
        if not self._complete:
            raise InvalidFormError("The body ends in the middle of the form.")
        if self._form.file_name is None:
            raise InvalidFormError("The form holds no file.", field="file")
        return self._form

    def _begin_part(self) -> None:
        self._part = _Part()

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def _end_header(self) -> None:
        self._part.end_header()

    def _end_headers(self) -> None:
        self._part.end_headers()
        match self._part.name:
            case "file":
                self._begin_file()
            case "name" if self._form.name is not None:
                raise InvalidFormError("The form holds two names.", field="name")
            case "tags" if len(self._form.tags) == MAX_TAGS:
                raise InvalidFormError(
                    f"An emoji has at most {MAX_TAGS} tags.", field="tags", limit=MAX_TAGS
                )
            case "name" | "tags":
                pass
            case _:
                raise InvalidFormError(
                    "The form holds a field that is not known: file, name and tags are.",
                    known=["file", "name", "tags"],
                )

    def _begin_file(self) -> None:
        if self._part.file_name is None:
            raise InvalidFormError("`file` was sent as text, not as a file.", field="file")
        if self._form.file_name is not None:
            raise InvalidFormError("The form holds two files; send one a request.", field="file")
        self._form.file_name = self._part.file_name

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.name == "file":
            self._file_pieces.append(data[start:end])
        else:
            self._part.add_to_value(data[start:end])

    def _end_part(self) -> None:
        if self._part.name == "name":
            self._form.name = self._part.text()
        elif self._part.name == "tags":
            self._form.tags.append(self._part.text())

    def _end(self) -> None:
        self._complete = True


@dataclass
class _Part:
    """The part that is being read."""

    name: str = ""
    file_name: str | None = None
    header_name: bytes = b""
    header_value: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    value: bytes = b""

    def end_header(self) -> None:
        self.headers[self.header_name.lower()] = self.header_value
        self.header_name = self.header_value = b""

    def end_headers(self) -> None:
        disposition, options = parse_options_header(
            self.headers.get(b"content-disposition", b"").decode("latin-1")
        )
        if disposition != b"form-data" or b"name" not in options:
            raise InvalidFormError("A part of the form has no name.")
        encoding = self.headers.get(b"content-transfer-encoding", b"").decode("latin-1")
        if encoding.strip().lower() not in _PLAIN_ENCODINGS:
            raise InvalidFormError("Send the parts as they are, without a transfer encoding.")
        self.name = options[b"name"].decode("utf-8", "replace")
        self.file_name = _file_name(options)

    def add_to_value(self, data: bytes) -> None:
        self.value += data
        if len(self.value) > _MAX_VALUE_BYTES:
            raise InvalidFormError(f"The value of {self.name} is too long.", field=self.name)

    def text(self) -> str:
        try:
            return self.value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidFormError(
                f"The value of {self.name} is not UTF-8.", field=self.name
            ) from error


def _file_name(options: Mapping[bytes, bytes]) -> str | None:
    raw = options.get(b"filename")
    return None if raw is None else raw.decode("utf-8", "replace")
