from __future__ import annotations

import base64
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoji_gallery.assets.rules.signing import (
    Audience,
    Permit,
    Signature,
    Signer,
    SigningKey,
    derived_key,
    parse_keys,
)
from emoji_gallery.contracts.ids import Digest

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 7, 1, tzinfo=UTC)
NOON = MIDNIGHT + DAY / 2
DIGEST = Digest("9f" * 32)
OLD = SigningKey("old", b"o" * 32)
NEW = SigningKey("new", b"n" * 32)
SIGNER = Signer([OLD])


def signed(
    signer: Signer = SIGNER,
    *,
    digest: Digest = DIGEST,
    name: str = "128.webp",
    audience: Audience = Audience.INHOUSE,
    now: datetime = NOON,
) -> Signature:
    query = parse_qs(signer.query(signer.window(now), digest, name, audience), strict_parsing=True)
    return Signature(**{parameter: value for parameter, [value] in query.items()})


@pytest.mark.parametrize("audience", [Audience.INHOUSE, Audience.USER])
def test_a_signature_holds_and_names_its_audience(audience: Audience) -> None:
    permit = SIGNER.check(signed(audience=audience), DIGEST, "128.webp", now=NOON)
    assert permit == Permit(audience, int((MIDNIGHT + 2 * DAY).timestamp()))


def test_the_signature_is_the_documented_one() -> None:
    given = signed()
    message = f"{DIGEST}\n128.webp\n{given.expires}\n{given.key}"
    mac = hmac.digest(b"o" * 32, message.encode(), "sha256")
    assert given.signature == base64.urlsafe_b64encode(mac).decode().rstrip("=")


@given(seconds=st.integers(0, 86_399))
def test_a_url_is_the_same_for_all_who_ask_in_one_window(seconds: int) -> None:
    assert signed(now=MIDNIGHT + timedelta(seconds=seconds)) == signed(now=MIDNIGHT)


@given(seconds=st.floats(0, 86_399.9))
def test_a_url_holds_for_24_to_48_hours(seconds: float) -> None:
    now = MIDNIGHT + timedelta(seconds=seconds)
    left = SIGNER.window(now).expires_at - now
    assert DAY <= left <= 2 * DAY


def test_the_next_window_has_another_url_and_tag() -> None:
    assert signed(now=NOON) != signed(now=NOON + DAY)
    assert SIGNER.window(NOON).tag != SIGNER.window(NOON + DAY).tag


def test_another_key_has_another_tag() -> None:
    assert Signer([NEW, OLD]).window(NOON).tag != SIGNER.window(NOON).tag


@pytest.mark.parametrize(
    ("late", "holds"), [(timedelta(seconds=-1), True), (timedelta(0), False), (DAY, False)]
)
def test_it_expires_at_the_end_of_the_next_window(late: timedelta, *, holds: bool) -> None:
    permit = SIGNER.check(signed(), DIGEST, "128.webp", now=MIDNIGHT + 2 * DAY + late)
    assert (permit is not None) is holds


@pytest.mark.parametrize(
    "changed",
    [
        {"expires": str(int((MIDNIGHT + 3 * DAY).timestamp()))},
        {"expires": "0" + str(int((MIDNIGHT + 2 * DAY).timestamp()))},
        {"expires": ""},
        {"expires": "soon"},
        {"expires": "9" * 5000},
        {"expires": "\u0661" * 10},
        {"key": "old.u"},
        {"key": "old"},
        {"key": "old.p"},
        {"key": ""},
        {"key": "new.i"},
        {"signature": ""},
        {"signature": "A" * 43},
        {"signature": "ä" * 43},
        {"signature": "\udcff"},
    ],
    ids=repr,
)
def test_a_changed_parameter_breaks_it(changed: dict[str, str]) -> None:
    assert SIGNER.check(replace(signed(), **changed), DIGEST, "128.webp", now=NOON) is None


def test_it_is_bound_to_digest_and_rendition() -> None:
    assert SIGNER.check(signed(), Digest("9e" * 32), "128.webp", now=NOON) is None
    assert SIGNER.check(signed(), DIGEST, "512.webp", now=NOON) is None


def test_all_keys_are_believed_and_the_first_signs() -> None:
    rotated = Signer([NEW, OLD])
    assert rotated.check(signed(SIGNER), DIGEST, "128.webp", now=NOON) is not None
    assert signed(rotated).key == "new.i"
    assert SIGNER.check(signed(rotated), DIGEST, "128.webp", now=NOON) is None


def test_keys_are_read_from_text() -> None:
    assert parse_keys(f"new:{'n' * 32}, old:{'o' * 32}") == [NEW, OLD]


@pytest.mark.parametrize(
    "text", ["", "only", "a:short", f"a b:{'x' * 32}", f"{'a' * 17}:{'x' * 32}"]
)
def test_keys_that_cannot_serve_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_keys(text)


@pytest.mark.parametrize("keys", [[], [OLD, SigningKey("old", b"x" * 32)]])
def test_a_signer_needs_keys_with_names_of_their_own(keys: list[SigningKey]) -> None:
    with pytest.raises(ValueError, match="signing keys"):
        Signer(keys)


def test_a_derived_key_is_named_after_its_secret() -> None:
    assert derived_key(b"a" * 32).id == derived_key(b"a" * 32).id
    assert derived_key(b"a" * 32).id != derived_key(b"b" * 32).id
