from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoji_gallery.kit.typeids import InvalidIdError, format_id, new_uuid, parse_id


@given(st.uuids())
def test_an_id_comes_back_as_it_went(value: UUID) -> None:
    assert parse_id("emj", format_id("emj", value)) == value


def test_the_wire_form_is_that_of_the_specification() -> None:
    # The first pair is from the TypeID specification's list of valid ids.
    value = UUID("0188bac7-4afa-78aa-bc3b-bd1eef28d881")
    assert format_id("prefix", value) == "prefix_01h2xcejqtf2nbrexx3vqjhp41"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "emj",
        "emj_",
        "uem_01h2xcejqtf2nbrexx3vqjhp41",
        "01h2xcejqtf2nbrexx3vqjhp41",
        "emj_01H2XCEJQTF2NBREXX3VQJHP41",
        "emj_8zzzzzzzzzzzzzzzzzzzzzzzzz",
        "emj_01h2xcejqtf2nbrexx3vqjhp4",
        "emj_01h2xcejqtf2nbrexx3vqjhp4é",
        "emj_01h2xcejqtf2nbrexx3vqjhp41\0",
        "emj_01h2xcejqtf2nbrexx3vqjhp41 ",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdError):
        parse_id("emj", text)


@given(st.text())
def test_nonsense_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(InvalidIdError):
        parse_id("emj", text)


def test_new_ids_are_of_version_seven_and_sort_by_time() -> None:
    ids = [new_uuid() for _ in range(100)]
    assert {value.version for value in ids} == {7}
    assert sorted(value.int >> 80 for value in ids) == [value.int >> 80 for value in ids]
