"""What an SVG may not hold."""

import pytest

from emoji_gallery.media.errors import ImageRejectedError
from emoji_gallery.media.svg_safety import read_root
from tests.media.pictures import SVG_OPEN, svg

PIXEL = "data:image/png;base64,iVBORw0KGgo="
BOMB = (
    '<!DOCTYPE svg [<!ENTITY a "lol">'
    + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)


@pytest.mark.parametrize(
    "body",
    [
        '<use xlink:href="#a"/><use href=" #b"/><use href=""/>',
        f'<image href="{PIXEL}"/><image href="DATA:image/JPEG;base64,"/>',
        '<rect fill="url(#g)" style="filter: url( \'#f\' ); fill: URL(#g)"/>',
        "<style>@font-face{src:url(data:font/woff2;base64,AA)} .a{fill:url(#g)}</style>",
        "<style>/* see http://example.test/ (a page) */ .a { color: red }</style>",
        '<style type="text/css"><![CDATA[.st0{fill:#2F7889;}]]></style>',
        '<text onset-like="x">on (load) @ home</text>'.replace(" onset-like", " data-on"),
        '<metadata xmlns:r="http://example.test/rdf"><r:w r:about="http://a.test/"/></metadata>',
        '<animate attributeName="x" to="5"/><?php a?><!-- <script> -->',
    ],
)
def test_a_picture_by_itself_is_taken(body: str) -> None:
    assert read_root(svg(body, 'width="5"')) == {"viewBox": "0 0 10 10", "width": "5"}


def test_a_public_document_type_without_declarations_is_taken() -> None:
    doctype = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://example.test/svg11.dtd">'
    assert read_root(doctype + svg())


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        '<script href="https://example.test/a.js"/>',
        '<h:script xmlns:h="http://www.w3.org/1999/xhtml">1</h:script>',
        '<rect onload="alert(1)"/>',
        '<rect ONCLICK="alert(1)"/>',
        "<foreignObject><b/></foreignObject>",
        '<a href="javascript:alert(1)"><rect/></a>',
        '<image href="http://example.test/a.png"/>',
        '<image xlink:href="file:///etc/passwd"/>',
        '<image href="/etc/passwd"/>',
        '<image href="//example.test/a.png"/>',
        '<use href="other.svg#a"/>',
        '<image href="data:image/svg+xml;base64,PHN2Zy8+"/>',
        '<image href="data:text/html,x"/>',
        '<rect fill="url(http://example.test/#g)"/>',
        "<rect style='fill:url(\"http://example.test/#g\")'/>",
        "<style>@import 'http://example.test/a.css';</style>",
        "<style>@\\69mport 'a.css';</style>",
        "<style>.a{fill:u\\72l(a.svg#b)}</style>",
        "<style>.a{fill:url(/**/a.svg#b)}</style>",
        "<style>.a{content:'/*';fill:url(a.svg#b);x:'*/'}</style>",
        "<style>.a{background:image-set('a.png' 1x)}</style>",
        "<style>.a{fill:url(#a)}<![CDATA[ .b{fill:url(b.svg)} ]]></style>",
        '<feImage href="http://example.test/"/>',
        '<g xml:base="http://example.test/"><use href="#a"/></g>',
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="#a"/>',
        '<?xml-stylesheet href="http://example.test/a.css"?>',
        "<iframe/>",
        "<g>" * 256 + "</g>" * 256,
    ],
)
def test_what_acts_or_refers_elsewhere_is_unsafe(body: str) -> None:
    with pytest.raises(ImageRejectedError, match="unsafe_svg"):
        read_root(svg(body))


@pytest.mark.parametrize(
    "document",
    [
        BOMB + f"{SVG_OPEN}><text>&i;</text></svg>",
        f"<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>{SVG_OPEN}>&x;</svg>",
        f"<!DOCTYPE svg [<!ENTITY % p SYSTEM 'http://example.test/'> %p;]>{SVG_OPEN}/>",
        f"<?xml-stylesheet href='http://example.test/a.css'?>{SVG_OPEN}/>",
    ],
)
def test_declarations_before_the_root_are_unsafe(document: str) -> None:
    with pytest.raises(ImageRejectedError, match="unsafe_svg"):
        read_root(document.encode())


def test_an_endless_number_of_elements_is_unsafe() -> None:
    with pytest.raises(ImageRejectedError, match="unsafe_svg"):
        read_root(svg("<g/>" * 50_000))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        svg()[:-3],
        svg() + svg(),
        svg("&nbsp;"),
        svg("<g></h>"),
        b"<html/>",
        svg("\x01"),
        b"<svg a='1' a='2'/>",
    ],
)
def test_what_is_not_well_formed_or_not_an_svg_is_damaged(document: bytes) -> None:
    with pytest.raises(ImageRejectedError, match="damaged"):
        read_root(document)
