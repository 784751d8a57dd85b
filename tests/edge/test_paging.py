import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoji_gallery.edge.paging import CursorCodec, InvalidCursorError, next_link
from emoji_gallery.kit.jsontypes import JSON

CODEC = CursorCodec(b"a secret of at least sixteen bytes")
FILTERS: dict[str, JSON] = {"tier": "free", "category": None}


@given(
    st.lists(
        st.one_of(
            st.none(), st.booleans(), st.text(), st.integers(min_value=-(2**53), max_value=2**53)
        )
    )
)
def test_a_position_comes_back_as_it_went(position: list[JSON]) -> None:
    cursor = CODEC.encode("gallery", FILTERS, position)
    assert CODEC.decode("gallery", FILTERS, cursor) == position


def test_the_order_of_filters_does_not_matter() -> None:
    cursor = CODEC.encode("gallery", FILTERS, [7])
    assert CODEC.decode("gallery", dict(reversed(FILTERS.items())), cursor) == [7]


@pytest.mark.parametrize(
    ("kind", "filters"),
    [("uploads", FILTERS), ("gallery", {**FILTERS, "tier": "premium"}), ("gallery", {})],
)
def test_a_cursor_of_another_query_is_refused(kind: str, filters: dict[str, JSON]) -> None:
    cursor = CODEC.encode("gallery", FILTERS, [7])
    with pytest.raises(InvalidCursorError):
        CODEC.decode(kind, filters, cursor)


@given(st.data())
def test_a_cursor_that_was_changed_anywhere_is_refused(data: st.DataObject) -> None:
    cursor = CODEC.encode("gallery", FILTERS, [12345, "x"])
    # The last character is left alone: its spare bits decode to the same bytes.
    place = data.draw(st.integers(min_value=0, max_value=len(cursor) - 2))
    letter = data.draw(st.sampled_from([c for c in "ABCxyz019-_" if c != cursor[place]]))
    with pytest.raises(InvalidCursorError):
        CODEC.decode("gallery", FILTERS, cursor[:place] + letter + cursor[place + 1 :])


@given(st.text(max_size=80))
def test_nonsense_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        CODEC.decode("gallery", FILTERS, text)


def test_another_secret_makes_other_cursors() -> None:
    cursor = CODEC.encode("gallery", FILTERS, [7])
    with pytest.raises(InvalidCursorError):
        CursorCodec(b"another secret of sixteen bytes").decode("gallery", FILTERS, cursor)


def test_the_link_to_the_next_page_keeps_the_query() -> None:
    link = next_link("/gallery", [("tier", "free"), ("cursor", "old"), ("q", "a b")], "new")
    assert link == '</gallery?tier=free&q=a+b&cursor=new>; rel="next"'
