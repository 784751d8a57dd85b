from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from emoji_gallery.assets.rules.links import AssetFacts, Links
from emoji_gallery.assets.rules.signing import Audience, Signature, Signer, SigningKey
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.media.catalogue import LISTED
from emoji_gallery.media.types import Shape

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DIGEST = Digest("9f" * 32)
SIGNER = Signer([SigningKey("a", b"a" * 32)])
WINDOW = SIGNER.window(NOW)
VECTOR = AssetFacts(DIGEST, Shape(1024, 1024, vector=True))


def links_of(
    facts: AssetFacts, audience: Audience, *, base_url: str = "", all_names: bool = False
) -> dict[str, str]:
    made = Links(SIGNER, base_url).renditions(
        facts, audience=audience, window=WINDOW, names=None if all_names else LISTED
    )
    return {name: link.url for name, link in made.items()}


def test_public_art_has_bare_urls() -> None:
    assert links_of(VECTOR, Audience.PUBLIC) == {
        name: f"/media/{DIGEST}/{name}" for name in ("64.webp", "128.webp", "512.webp")
    }


@pytest.mark.parametrize("audience", [Audience.INHOUSE, Audience.USER])
def test_other_urls_carry_a_signature_that_holds(audience: Audience) -> None:
    for name, url in links_of(VECTOR, audience, all_names=True).items():
        parts = urlsplit(url)
        query = {parameter: value for parameter, [value] in parse_qs(parts.query).items()}
        permit = SIGNER.check(Signature(**query), DIGEST, name, now=NOW)
        assert parts.path == f"/media/{DIGEST}/{name}"
        assert permit is not None
        assert permit.audience is audience


def test_urls_begin_with_the_address_of_the_setting() -> None:
    urls = links_of(VECTOR, Audience.PUBLIC, base_url="https://cdn.example.org/x")
    assert urls["64.webp"] == f"https://cdn.example.org/x/media/{DIGEST}/64.webp"


def test_a_small_raster_has_no_larger_sizes() -> None:
    small = AssetFacts(DIGEST, Shape(100, 60))
    assert set(links_of(small, Audience.USER)) == {"64.webp", "128.webp"}
    assert set(links_of(small, Audience.USER, all_names=True)) == {
        "64.webp",
        "64.png",
        "128.webp",
        "128.png",
    }


def test_a_link_tells_type_and_size() -> None:
    facts = AssetFacts(DIGEST, Shape(200, 100))
    link = Links(SIGNER).renditions(
        facts, audience=Audience.PUBLIC, window=WINDOW, names=("128.png",)
    )["128.png"]
    assert (link.type, link.width, link.height) == ("image/png", 128, 64)
