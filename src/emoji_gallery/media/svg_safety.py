"""Reads an SVG without trust, and refuses what has no place in a picture.

Refused as `unsafe_svg`: entity declarations; scripts, event handlers, embedded documents and
media; style sheets from elsewhere; and every reference (`href`, `src`, `url()`, `@import`,
`xml:base`, XInclude) but those to a fragment of the same document and to PNG, JPEG, GIF, WebP or
font data inside it. The drawing library neither executes nor fetches any of these; they are
refused so that nobody relies on that.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from emoji_gallery.media.errors import ImageRejectedError, Rejection

_MAX_DEPTH: Final = 256
_MAX_ELEMENTS: Final = 50_000

_FORBIDDEN_ELEMENTS: Final = frozenset(
    {"script", "foreignobject", "iframe", "object", "embed", "audio", "video", "handler"}
    | {"listener", "link", "meta", "base", "include"}
)
_REFERENCES: Final = frozenset({"href", "src"})
_SEPARATOR: Final = " "
_XML_NAMESPACE: Final = "http://www.w3.org/XML/1998/namespace"

_SAFE_TARGET: Final = re.compile(
    r"\s*(?:\#|\Z|data:(?:image/(?:png|jpe?g|gif|webp)|font/|application/(?:x-)?font))",
    re.IGNORECASE,
)
_CSS_ESCAPE: Final = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))", re.DOTALL)
_CSS_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_CSS_URL: Final = re.compile(r"(?:url|src|image|image-set)\s*\(\s*[\"']?", re.IGNORECASE)
_CSS_IMPORT: Final = re.compile(r"@\s*import", re.IGNORECASE)


def read_root(document: bytes) -> Mapping[str, str]:
    """Check a whole document of UTF-8 and answer its root element's plain attributes.

    Raises ImageRejectedError: `unsafe_svg` for what is listed above, `damaged` for what is not
    well-formed or has another root.
    """
    checker = _Checker()
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.EntityDeclHandler = checker.refuse
    parser.StartElementHandler = checker.start
    parser.EndElementHandler = checker.end
    parser.CharacterDataHandler = checker.text
    parser.ProcessingInstructionHandler = checker.instruction
    try:
        parser.Parse(document, True)  # noqa: FBT003 (expat's own signature)
    except expat.ExpatError:
        raise ImageRejectedError(Rejection.DAMAGED) from None
    return checker.root


@dataclass
class _Checker:
    root: dict[str, str] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _style: list[str] = field(default_factory=list)
    _elements: int = 0

    def refuse(self, *_: object) -> None:
        raise ImageRejectedError(Rejection.UNSAFE_SVG)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        if not self._open:
            self._begin(local, attributes)
        self._open.append(local)
        self._elements += 1
        if local.lower() in _FORBIDDEN_ELEMENTS or len(self._open) > _MAX_DEPTH:
            self.refuse()
        if self._elements > _MAX_ELEMENTS:
            self.refuse()
        for attribute, value in attributes.items():
            _check_attribute(attribute, value)

    def end(self, _: str) -> None:
        if self._open.pop() == "style":
            _check_css("".join(self._style))
            self._style.clear()

    def text(self, text: str) -> None:
        if "style" in self._open[-1:]:
            self._style.append(text)

    def instruction(self, target: str, _: str) -> None:
        if target.lower() == "xml-stylesheet":
            self.refuse()

    def _begin(self, local: str, attributes: dict[str, str]) -> None:
        if local != "svg":
            raise ImageRejectedError(Rejection.DAMAGED)
        self.root = {name: value for name, value in attributes.items() if _SEPARATOR not in name}


def _check_attribute(qualified: str, value: str) -> None:
    name = _local(qualified).lower()
    unsafe = (
        name.startswith("on")
        or (name == "base" and qualified.startswith(_XML_NAMESPACE))
        or (name in _REFERENCES and not _SAFE_TARGET.match(value))
    )
    if unsafe:
        raise ImageRejectedError(Rejection.UNSAFE_SVG)
    if name not in _REFERENCES:
        _check_css(value)


def _check_css(text: str) -> None:
    """Look for references in CSS as a tokenizer would see it: escapes undone, comments gone."""
    plain = _CSS_ESCAPE.sub(_unescape, text) if "\\" in text else text
    if "(" not in plain and "@" not in plain:
        return
    # A comment may hide a reference from one parser and a comment mark inside a string from
    # another, so both readings have to be safe.
    for reading in {plain, _CSS_COMMENT.sub(" ", plain)}:
        targets = (reading[found.end() :] for found in _CSS_URL.finditer(reading))
        if _CSS_IMPORT.search(reading) or not all(map(_SAFE_TARGET.match, targets)):
            raise ImageRejectedError(Rejection.UNSAFE_SVG)


def _unescape(found: re.Match[str]) -> str:
    code = int(found.group(1), 16) if found.group(1) else 0
    if code:
        return chr(code) if code <= 0x10FFFF else "\N{REPLACEMENT CHARACTER}"  # noqa: PLR2004 (the last code point)
    return found.group(2) or ""


def _local(qualified: str) -> str:
    return qualified.rpartition(_SEPARATOR)[2]
