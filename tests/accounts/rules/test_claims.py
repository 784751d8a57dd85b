from datetime import UTC, datetime
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoji_gallery.accounts.rules.claims import (
    Claims,
    TokenPolicy,
    TokenRefusedError,
    read_claims,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECONDS = NOW.timestamp()
OURS = TokenPolicy(issuer="https://id.test", audience="gallery")


def payload(**changes: Any) -> dict[str, object]:
    whole = {
        "iss": "https://id.test",
        "aud": "gallery",
        "sub": "alice",
        "iat": SECONDS - 10,
        "exp": SECONDS + 60,
    }
    merged = {**whole, **changes}
    return {name: value for name, value in merged.items() if value is not ...}


def read(policy: TokenPolicy = OURS, /, **changes: Any) -> Claims:
    return read_claims(payload(**changes), policy, now=NOW)


def test_a_whole_token_is_read() -> None:
    claims = read(tier="premium", scope="openid curator service")

    assert claims.subject == "alice"
    assert claims.tier == "premium"
    assert claims.scopes == {"curator", "service"}
    assert claims.issued_at == SECONDS - 10
    assert claims.expires_at == SECONDS + 60


def test_a_token_without_extras_is_an_ordinary_user() -> None:
    claims = read(iat=...)

    assert (claims.tier, claims.scopes, claims.issued_at) == (None, frozenset(), None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exp": ...}, "no expiry"),
        ({"exp": None}, "no expiry"),
        ({"exp": SECONDS}, "expired"),
        ({"exp": SECONDS - 1}, "expired"),
        ({"exp": "4102444800"}, "exp is not a number"),
        ({"exp": True}, "exp is not a number"),
        ({"exp": nan}, "exp is not a time"),
        ({"exp": inf}, "exp is not a time"),
        ({"exp": 10**400}, "exp is not a time"),
        ({"nbf": SECONDS + 31}, "not valid yet"),
        ({"nbf": [0]}, "nbf is not a number"),
        ({"iat": SECONDS + 31}, "not valid yet"),
        ({"iss": ...}, "another issuer"),
        ({"iss": "https://evil.test"}, "another issuer"),
        ({"iss": ["https://id.test"]}, "another issuer"),
        ({"aud": ...}, "another service"),
        ({"aud": "shop"}, "another service"),
        ({"aud": ["shop", "till"]}, "another service"),
        ({"aud": {"gallery": 1}}, "another service"),
        ({"sub": ...}, "not a user id"),
        ({"sub": ""}, "not a user id"),
        ({"sub": 7}, "not a user id"),
        ({"sub": "a" * 129}, "not a user id"),
        ({"sub": "a\nb"}, "not a user id"),
        ({"sub": "a\0"}, "not a user id"),
        ({"sub": "\ud800"}, "not a user id"),
        ({"scope": ["admin"]}, "scope is not a text"),
        ({"scope": 1}, "scope is not a text"),
    ],
)
def test_a_claim_that_breaks_a_rule_refuses_the_token(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(TokenRefusedError, match=message):
        read(**changes)


def test_an_issuers_clock_may_run_half_a_minute_ahead() -> None:
    assert read(iat=SECONDS + 30, nbf=SECONDS + 30).issued_at == SECONDS + 30


def test_one_of_several_audiences_is_enough() -> None:
    assert read(aud=["shop", "gallery"]).subject == "alice"


def test_without_an_audience_of_ours_a_token_may_name_none() -> None:
    open_to_all = TokenPolicy(issuer="https://id.test", audience=None)

    assert read(open_to_all, aud=...).subject == "alice"
    with pytest.raises(TokenRefusedError, match="another service"):
        read(open_to_all, aud="gallery")


@pytest.mark.parametrize("tier", [7, None, "", "t" * 65, ["premium"], {"name": "premium"}])
def test_a_tier_that_cannot_be_a_name_reads_as_none(tier: object) -> None:
    assert read(tier=tier).tier is None


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        ("", set()),
        ("administrator", set()),
        ("ADMIN", set()),
        ("admin,service", set()),
        ("  admin  ", {"admin"}),
        ("admin admin", {"admin"}),
    ],
)
def test_only_whole_words_of_the_contract_are_scopes(scope: str, scopes: set[str]) -> None:
    assert read(scope=scope).scopes == scopes


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "sub", "iat", "nbf", "exp", "tier", "scope"]), json_values
    )
)
def test_whatever_is_signed_is_read_or_refused(changes: dict[str, object]) -> None:
    try:
        claims = read_claims({**payload(), **changes}, OURS, now=NOW)
    except TokenRefusedError:
        return
    assert 1 <= len(claims.subject) <= 128
    assert claims.expires_at > SECONDS
