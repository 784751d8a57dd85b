import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoji_gallery.media.xmp import stated_orientation


@pytest.mark.parametrize(
    ("packet", "orientation"),
    [
        (b'<rdf:Description tiff:Orientation="6"/>', 6),
        (b"<rdf:Description tiff:Orientation = '3' />", 3),
        (b"<tiff:Orientation>8</tiff:Orientation>", 8),
        (b"<tiff:Orientation> 2 </tiff:Orientation>", 2),
        (b"<rdf:Description/>", 1),
        (b'tiff:Orientation="9"', 1),
        (b'tiff:Orientation="0"', 1),
        (b'tiff:Orientation="66"', 1),
        (b" " * 70_000 + b'tiff:Orientation="6"', 1),
    ],
)
def test_a_packet_states_an_orientation_or_none(packet: bytes, orientation: int) -> None:
    assert stated_orientation(packet) == orientation


@given(st.binary(max_size=2000))
def test_nonsense_states_an_orientation_that_exists(packet: bytes) -> None:
    assert stated_orientation(packet) in range(1, 9)
