"""Renditions of rasters."""

import io
from collections.abc import Callable

import pytest
import pyvips
from PIL import Image, ImageCms, ImageOps

from emoji_gallery.media import raster
from emoji_gallery.media.catalogue import renditions
from emoji_gallery.media.encode import Motion, encode_animation, encode_still
from emoji_gallery.media.errors import ImageRejectedError
from emoji_gallery.media.sniff import sniff
from emoji_gallery.media.types import Format, Limits, Probe
from tests.media.pictures import (
    BLUE,
    GREEN,
    RED,
    animation,
    frame,
    gradient,
    opened,
    png,
    profile,
    psnr,
    rotating,
    saved,
    timing,
)

METADATA = (b"Exif", b"eXIf", b"EXIF", b"iCCP", b"ICCP", b"tEXt", b"iTXt", b"XMP", b"<x:xmpmeta")


def rendered(data: bytes, *names: str) -> list[bytes]:
    kind = sniff(data)
    assert kind is not None
    probe = raster.probe(data, kind, Limits())
    available = renditions(probe.shape)
    return raster.render(data, probe, [available[name] for name in names])


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    rgb = image.convert("RGB")
    at = [(0, 0), (rgb.width - 1, 0), (0, rgb.height - 1), (rgb.width - 1, rgb.height - 1)]
    return [rgb.getpixel(position) for position in at]  # type: ignore[misc]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_every_kind_of_png_comes_out_as_it_looks(mode: str) -> None:
    if mode == "I;16":
        original = Image.new("I;16", (60, 40), 0x8080)
        shown = Image.new("RGB", (60, 40), (128, 128, 128))
    else:
        original = gradient(60, 40, "RGBA" if mode in {"RGBA", "LA"} else "RGB").convert(mode)
        shown = original.convert("RGBA")
    (made,) = rendered(saved(original, "PNG"), "64.png")
    assert psnr(opened(made), shown) > 60


def test_sixteen_bits_become_eight_by_their_upper_half() -> None:
    ramp = Image.new("I;16", (256, 1))
    ramp.putdata([value << 8 | value for value in range(256)])
    (made,) = rendered(saved(ramp, "PNG"), "256.png")
    assert opened(made).convert("L").tobytes() == bytes(range(256))


def test_transparent_grey_and_palette_entries_are_transparent() -> None:
    grey = Image.new("L", (4, 1))
    grey.putdata([0, 85, 170, 255])
    (made,) = rendered(saved(grey, "PNG", transparency=85), "64.png")
    assert opened(made).convert("RGBA").getchannel("A").tobytes() == b"\xff\x00\xff\xff"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_renditions_are_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(gradient(60, 40), kind, exif=exif, **options)
    made, webp = rendered(data, "64.png", "64.webp")
    upright = ImageOps.exif_transpose(opened(data))
    assert psnr(opened(made), upright) > 40
    assert psnr(opened(webp), upright) > 25
    assert not any(mark in made + webp for mark in METADATA)


def test_an_embedded_profile_is_applied_and_left_out() -> None:
    icc = profile(gamma=1.0)
    data = saved(gradient(60, 40), "PNG", icc_profile=icc)
    (made,) = rendered(data, "64.png")
    srgb = ImageCms.createProfile("sRGB")
    shown = ImageCms.profileToProfile(gradient(60, 40), io.BytesIO(icc), srgb)
    assert shown is not None
    assert psnr(opened(made), shown) > 40
    assert psnr(opened(made), gradient(60, 40)) < 30
    assert not any(mark in made for mark in METADATA)


def test_a_broken_profile_is_as_good_as_none() -> None:
    data = saved(gradient(60, 40), "PNG", icc_profile=b"not a profile at all")
    (made,) = rendered(data, "64.png")
    assert psnr(opened(made), gradient(60, 40)) > 60


def test_a_profile_of_another_colour_space_is_as_good_as_none() -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    (made,) = rendered(saved(gradient(60, 40), "PNG", icc_profile=icc), "64.png")
    assert psnr(opened(made), gradient(60, 40)) > 60


def test_cmyk_is_shown_in_its_colours_and_not_inverted() -> None:
    picture = Image.new("RGB", (40, 40), RED)
    picture.paste(GREEN, (20, 0, 40, 20))
    picture.paste(BLUE, (0, 20, 20, 40))
    picture.paste((255, 255, 255), (20, 20, 40, 40))
    (made,) = rendered(saved(picture.convert("CMYK"), "JPEG", quality=95), "64.png")
    red, green, blue, white = corners(opened(made))
    assert red[0] > 150 > max(red[1:])
    assert green[1] > max(green[0], green[2]) + 30
    assert blue[2] > max(blue[:2]) + 30
    assert min(white) > 240


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_shrinking_is_as_good_as_lanczos_elsewhere(mode: str) -> None:
    original = gradient(400, 300, mode)
    (made,) = rendered(saved(original, "PNG"), "128.png")
    assert opened(made).size == (128, 96)
    assert psnr(opened(made), original.resize((128, 96), Image.Resampling.LANCZOS)) > 40


def test_hidden_colour_does_not_bleed_into_the_edge() -> None:
    picture = Image.new("RGBA", (200, 200), (0, 255, 0, 0))
    picture.paste((255, 0, 0, 255), (70, 0, 200, 200))
    (made,) = rendered(saved(picture, "PNG"), "64.png")
    small = opened(made).convert("RGBA")
    for x in range(64):
        red, green, _, alpha = small.getpixel((x, 32))  # type: ignore[misc]
        assert alpha < 8 or (red > 240 and green < 16)


def test_a_small_raster_is_kept_pixel_for_pixel() -> None:
    original = gradient(100, 50, "RGBA")
    small, whole = rendered(saved(original, "PNG"), "64.png", "128.png")
    assert opened(small).size == (64, 32)
    assert psnr(opened(whole), original) == 99


def test_flat_art_is_encoded_without_visible_loss() -> None:
    art = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
    art.paste((250, 200, 0, 255), (10, 10, 50, 50))
    art.paste((0, 0, 200, 255), (25, 25, 30, 45))
    (made,) = rendered(saved(art, "PNG"), "64.webp")
    assert psnr(opened(made), art) > 45


@pytest.mark.parametrize("name", ["256.webp", "256.png", "512.avif"])
def test_photographs_keep_their_looks(name: str) -> None:
    original = gradient(700, 500)
    (made,) = rendered(saved(original, "JPEG", quality=95), name)
    image = opened(made)
    assert psnr(image, original.resize(image.size, Image.Resampling.LANCZOS)) > 35


def test_the_same_bytes_come_out_whatever_is_made_with_them() -> None:
    data = saved(gradient(300, 200, "RGBA"), "PNG")
    together = rendered(data, "64.webp", "128.webp", "256.png")
    assert together == [rendered(data, name)[0] for name in ("64.webp", "128.webp", "256.png")]
    moving = animation(rotating(4, (90, 60)), "GIF", 100)
    poster, _ = rendered(moving, "64.png", "64.webp")
    assert [poster] == rendered(moving, "64.png")


def gif(delays: list[int], loop: int | None) -> bytes:
    return animation(rotating(len(delays), (80, 60)), "GIF", delays, loop)


def webp(delays: list[int], loop: int | None) -> bytes:
    return animation(rotating(len(delays), (80, 60)), "WEBP", delays, loop)


# A GIF counts how often it plays again, a WebP how often it plays.
@pytest.mark.parametrize(
    ("make", "loop", "webp_plays"),
    [(gif, 0, 0), (gif, 2, 3), (gif, None, 1), (webp, 0, 0), (webp, 1, 1), (webp, 5, 5)],
)
def test_an_animation_keeps_frames_delays_and_loops(
    make: Callable[[list[int], int | None], bytes], loop: int | None, webp_plays: int
) -> None:
    delays = [100, 20, 70, 300]
    (made,) = rendered(make(delays, loop), "64.webp")
    assert timing(made) == (delays, webp_plays)
    assert opened(made).size == (64, 48)


def test_a_gif_is_made_of_a_webp_with_its_timing() -> None:
    frames = rotating(3, (300, 200))
    data = animation(frames, "WEBP", [33, 33, 34], 4)
    made, small = rendered(data, "512.gif", "256.gif")
    assert timing(made) == ([30, 40, 30], 3)
    assert timing(small) == ([30, 40, 30], 3)
    assert psnr(frame(made, 2), frames[2]) > 30
    assert opened(small).size == (256, 171)


def test_delays_that_browsers_stretch_are_kept_as_they_are() -> None:
    (made,) = rendered(gif([0, 10, 20], 0), "64.webp")
    assert timing(made)[0] == [0, 10, 20]


@pytest.mark.parametrize("name", ["64.webp", "128.webp"])
def test_equal_neighbours_are_kept_as_frames(name: str) -> None:
    one, two = rotating(2, (80, 60))
    data = animation([one, one, two, two], "WEBP", [100, 110, 120, 130])
    delays, _ = timing(data)
    (made,) = rendered(data, name)
    assert timing(made)[0] == delays


def test_the_poster_is_the_first_frame() -> None:
    frames = rotating(3)
    (made,) = rendered(animation(frames, "WEBP", 50), "64.png")
    assert not getattr(opened(made), "is_animated", False)
    assert psnr(opened(made), frames[0]) > 45


def test_frames_of_which_only_some_are_transparent_fit_together() -> None:
    frames = [gradient(100, 80, "RGBA"), gradient(100, 80).convert("RGBA")]
    (made,) = rendered(animation(frames, "WEBP", 80), "64.webp")
    assert timing(made)[0] == [80, 80]
    assert frame(made, 1).getchannel("A").getextrema() == (255, 255)


def test_a_long_animation_is_encoded_in_a_hurry_and_still_exact() -> None:
    frames = [gradient(520, 520).rotate(90 * number) for number in range(4)] * 4
    data = animation(frames, "WEBP", 40)
    webp_made, gif_made = rendered(data, "512.webp", "512.gif")
    assert timing(webp_made)[0] == [40] * 16
    assert timing(gif_made)[0] == [40] * 16


def test_a_picture_one_pixel_wide_is_rendered() -> None:
    original = gradient(1, 3_000)
    made, small = rendered(saved(original, "PNG"), "1024.png", "64.webp")
    assert opened(made).size == (1, 1_024)
    assert opened(small).size == (1, 64)
    (tall,) = rendered(saved(gradient(1, 1_500), "PNG"), "1024.webp")
    assert opened(tall).size == (1, 1_024)


def test_an_unknown_type_is_an_error() -> None:
    dot = pyvips.Image.black(2, 2)
    with pytest.raises(ValueError, match="jpg"):
        encode_still(dot, "jpg")
    with pytest.raises(ValueError, match="avif"):
        encode_animation([dot], "avif", Motion([0], 0))


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_cut_file_is_refused_before_anything_of_it_is_served(kind: str, kept: float) -> None:
    data = saved(gradient(200, 150), kind)
    with pytest.raises(Exception, match=r"damaged|unable to"):
        rendered(data[: int(len(data) * kept)], "64.png")


def test_a_png_with_damaged_pixels_is_refused() -> None:
    data = bytearray(png())
    at = data.index(b"IDAT") + 40
    data[at : at + 20] = bytes(20)
    with pytest.raises(Exception, match="unable to"):
        rendered(bytes(data), "64.png")


def test_damage_in_a_later_frame_refuses_the_animation() -> None:
    data = bytearray(animation(rotating(6), "WEBP", 50))
    at = data.rindex(b"ANMF") + 40
    data[at : at + 60] = b"\xff" * 60
    with pytest.raises(Exception, match="unable to"):
        rendered(bytes(data), "64.webp")


def test_a_source_that_is_not_what_was_probed_is_refused() -> None:
    claimed = Probe(Format.PNG, 50, 100)
    spec = renditions(claimed.shape)["64.png"]
    with pytest.raises(ImageRejectedError, match="damaged"):
        raster.render(png(100, 50), claimed, [spec])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_no_metadata_is_passed_on(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    data = saved(gradient(600, 400), kind, exif=exif, xmp=b"<x:xmpmeta>where</x:xmpmeta>")
    assert b"a camera" in data
    made = rendered(data, "64.webp", "64.png", "512.avif")
    assert not any(mark in one for one in made for mark in (*METADATA, b"a camera", b"where"))


def _said_by_xmp(orientation: int) -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        b' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
        b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/>'
        b"</rdf:RDF></x:xmpmeta>" % orientation
    )


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["AVIF", "WEBP", "JPEG"])
def test_xmp_says_which_way_up_where_exif_is_silent(kind: str, orientation: int) -> None:
    data = saved(gradient(60, 40), kind, xmp=_said_by_xmp(orientation))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = ImageOps.exif_transpose(opened(saved(gradient(60, 40), "PNG", exif=exif)))
    (made,) = rendered(data, "64.png")
    assert opened(made).size == upright.size
    assert psnr(opened(made), upright) > 25
    assert b"tiff:Orientation" not in made


def test_what_an_avif_container_turned_is_not_turned_again_by_xmp() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(gradient(60, 40), "AVIF", exif=exif, xmp=_said_by_xmp(6))
    (made,) = rendered(data, "64.png")
    assert opened(made).size == (40, 60)
    assert psnr(opened(made), gradient(60, 40).transpose(Image.Transpose.ROTATE_270)) > 25


def test_exif_goes_before_xmp() -> None:
    exif = Image.Exif()
    exif[0x0112] = 1
    data = saved(gradient(60, 40), "JPEG", exif=exif, xmp=_said_by_xmp(6))
    (made,) = rendered(data, "64.png")
    assert opened(made).size == (60, 40)
