from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoji_gallery.accounts.rules.acting import UnreadableActorError, acted_for
from emoji_gallery.contracts.ids import is_user_id


@pytest.mark.parametrize(
    ("header", "user_id"),
    [
        ("alice", "alice"),
        ("auth0%7C5f7", "auth0|5f7"),
        ("auth0|5f7", "auth0|5f7"),
        ("org%2Fteam%20a", "org/team a"),
        ("org/team", "org/team"),
        ("%F0%9F%A6%8A", "🦊"),
        ("100%25", "100%"),
        ("a+b", "a+b"),
    ],
)
def test_the_header_names_a_user_percent_encoded(header: str, user_id: str) -> None:
    assert acted_for(header) == user_id


@pytest.mark.parametrize(
    "header",
    ["", " ", "a b", "100%", "%zz", "%", "%F0%9F", "%00", "%0A", "\xfc", "a" * 129, "%E2%80%AE"],
)
def test_anything_else_is_refused(header: str) -> None:
    with pytest.raises(UnreadableActorError):
        acted_for(header)


@settings(deadline=None, max_examples=60)
@given(st.text(min_size=1, max_size=128).filter(is_user_id))
def test_every_user_can_be_named(user_id: str) -> None:
    assert acted_for(quote(user_id, safe="")) == user_id
