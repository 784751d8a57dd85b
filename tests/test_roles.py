import pytest

from emoji_gallery.roles import ALL_FEATURES, Role, UnknownRoleError, parse_role


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("all", Role(ALL_FEATURES, works=True)),
        ("gallery", Role(("gallery",), works=False)),
        ("user-emojis, gallery", Role(("gallery", "user_emojis"), works=False)),
        ("media", Role(("assets",), works=False)),
        ("worker", Role((), works=True)),
        ("accounts,worker", Role(("accounts",), works=True)),
    ],
)
def test_a_role_names_features_in_a_fixed_order(text: str, role: Role) -> None:
    assert parse_role(text) == role


@pytest.mark.parametrize("text", ["", " , ", "galery", "gallery,everything"])
def test_a_role_that_does_not_exist_is_refused_with_those_that_do(text: str) -> None:
    with pytest.raises(UnknownRoleError, match="user-emojis"):
        parse_role(text)
