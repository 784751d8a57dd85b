from __future__ import annotations

import pytest

from emoji_gallery.assets.rules.keys import (
    EVERY_NAME,
    digest_of,
    keys_of,
    parse_digest,
    rendition_key,
    source_key,
)
from emoji_gallery.contracts.ids import Digest

DIGEST = Digest("9f" + "0" * 62)


def test_objects_fan_out_by_the_first_byte_of_the_digest() -> None:
    assert source_key(DIGEST) == f"sources/9f/{DIGEST}"
    assert rendition_key(DIGEST, "128.webp") == f"renditions/9f/{DIGEST}-128.webp"


def test_every_object_leads_back_to_its_asset() -> None:
    assert {digest_of(key) for key in keys_of(DIGEST)} == {DIGEST}
    assert len(keys_of(DIGEST)) == 1 + len(EVERY_NAME)


def test_the_catalogue_has_thirteen_names() -> None:
    assert len(EVERY_NAME) == 13
    assert {"64.webp", "1024.png", "256.gif", "512.gif", "512.avif"} < set(EVERY_NAME)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "sources",
        f"sources/00/{DIGEST}",
        f"sources/9f/{DIGEST.upper()}",
        f"sources/9f/{DIGEST[:-1]}",
        f"elsewhere/9f/{DIGEST}",
        f"sources/9f/{DIGEST}\n",
        f"incoming/{DIGEST}",
    ],
)
def test_a_key_of_other_origin_belongs_to_no_asset(key: str) -> None:
    assert digest_of(key) is None


@pytest.mark.parametrize("text", ["", "9f", "G" * 64, "A" * 64, "a" * 65, "a" * 64 + "\n"])
def test_only_64_lower_case_hex_digits_are_a_digest(text: str) -> None:
    assert parse_digest(text) is None
    assert parse_digest("a" * 64) == "a" * 64
