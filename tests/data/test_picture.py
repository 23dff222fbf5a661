"""One picture: every common way to store it comes out as height x width x channels of bytes."""

import io

import numpy as np
import pytest
from PIL import Image

from lamina.data import decode, size
from lamina.ground import DataError

GREY = np.array([[0, 60, 120, 20, 9], [180, 240, 255, 30, 7]], np.uint8)
COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], axis=2)


def stored(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


@pytest.mark.parametrize("kind, near", [("PNG", 0), ("BMP", 0), ("PPM", 0), ("WEBP", 0), ("JPEG", 40)])
def test_every_format_of_colour_and_grey(kind, near):
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    picture = decode(stored(Image.fromarray(COLOUR), kind, **options), "a")
    assert picture.shape == (2, 5, 3) and picture.dtype == np.uint8
    assert np.abs(picture.astype(int) - COLOUR).max() <= near
    if kind != "WEBP":  # which stores no grey
        picture = decode(stored(Image.fromarray(GREY), kind), "a")
        assert picture.shape == (2, 5, 1)
        assert np.abs(picture[:, :, 0].astype(int) - GREY).max() <= near


def test_a_gif_gives_its_first_frame():
    frames = [Image.new("L", (3, 2), shade) for shade in (10, 200)]
    data = stored(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (decode(data, "a") == 10).all()


@pytest.mark.parametrize(
    "image, expected",
    [
        (Image.new("RGBA", (3, 2), (0, 0, 0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (3, 2), (255, 0, 0, 255)), (255, 0, 0)),
        (Image.new("LA", (3, 2), (0, 0)), (255,)),
        (Image.new("1", (3, 2), 1), (255,)),
        (Image.fromarray(np.full((2, 3), 65535, np.uint16)), (255,)),
        (Image.fromarray(np.full((2, 3), 257 * 100, np.uint16)), (100,)),
        (Image.new("RGB", (3, 2), (9, 8, 7)).quantize(2), (9, 8, 7)),
    ],
)
def test_every_mode_of_png(image, expected):
    data = stored(image)
    picture = decode(data, "a")
    assert size(data) == picture.shape == (2, 3, len(expected))
    assert np.abs(picture.astype(int) - np.array(expected)).max() <= (3 if image.mode == "P" else 0)


def test_16_bit_grey_of_pgm_and_cmyk_of_jpeg():
    values = np.array([[0, 256], [511, 65535]], ">u2")
    assert decode(b"P5 2 2 65535\n" + values.tobytes(), "a")[:, :, 0].tolist() == [[0, 1], [2, 255]]
    picture = decode(stored(Image.new("CMYK", (3, 2), (255, 0, 0, 0)), "JPEG"), "a")
    assert picture.shape == (2, 3, 3) and picture[0, 0, 0] < 30 and picture[0, 0, 2] > 150


@pytest.mark.parametrize("turn", [1, 6], ids=["upright", "turned by the camera"])
def test_a_jpeg_comes_no_smaller_than_is_enough(turn):
    shades = np.linspace(0, 255, 96 * 64).reshape(96, 64).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = turn
    data = stored(Image.fromarray(shades), "JPEG", exif=exif, quality=95)
    whole = decode(data, "a")
    height, width, _ = whole.shape
    half = decode(data, "a", enough=(height // 2 - 5, width // 2 - 5))
    assert half.shape == (height // 2, width // 2, 1)
    means = whole.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    assert np.abs(half[:, :, 0] - means).max() <= 3
    assert (decode(data, "a", enough=(height // 2 + 1, 4)) == whole).all()
    assert decode(stored(Image.fromarray(shades)), "a", enough=(9, 9)).shape == (96, 64, 1)  # of a PNG, all there is


def test_a_picture_is_turned_as_the_camera_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = stored(Image.fromarray(COLOUR), "JPEG", exif=exif, quality=100)
    assert decode(data, "a").shape == size(data) == (5, 2, 3)


@pytest.mark.parametrize(
    "array, expected",
    [
        (GREY, GREY[:, :, None]),
        (COLOUR, COLOUR),
        (COLOUR.transpose(2, 0, 1), COLOUR),
        (COLOUR / 255, COLOUR),
        (COLOUR / 127.5 - 1, COLOUR),
        (COLOUR.astype(np.float32), COLOUR),
        (COLOUR.astype(np.int64), COLOUR),
        (GREY.astype(np.uint16) * 257, GREY[:, :, None]),
        (GREY > 100, (GREY > 100)[:, :, None] * np.uint8(255)),
        (np.dstack([COLOUR, np.zeros_like(GREY)]), np.full_like(COLOUR, 255)),
    ],
)
def test_arrays_of_every_layout_and_range(array, expected):
    picture = decode(array, "a")
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, expected)
    assert size(array) == expected.shape


def _bomb(width: int, height: int) -> bytes:
    data = bytearray(stored(Image.new("L", (1, 1))))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    import zlib

    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


NOISE = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", ["is empty", "JPEG, PNG"]),
        (stored(Image.fromarray(GREY))[:40], ["damaged or cut short", "40 bytes", "Copy it again"]),
        (b"hello world, I am no picture", ["begins with b'hello wo'"]),
        (stored(Image.fromarray(NOISE), "JPEG")[:800], ["damaged or cut short", "800 bytes"]),
        (stored(Image.fromarray(NOISE))[:800], ["damaged or cut short"]),
        (stored(Image.fromarray(GREY), "TIFF"), ["no picture that can be read"]),
        (_bomb(9_400, 9_500), ["9,400 x 9,500 pixels", "Scale it down"]),
        (_bomb(100_000, 100_000), ["too large", "Scale it down"]),
        (np.zeros((2, 3, 5)), ["(2, 3, 5)", "1, 3 or 4 channels"]),
        (np.zeros((0, 3)), ["(0, 3, 1)"]),
        (np.full((2, 2), np.nan), ["nan", "no brightness"]),
        (np.array([[-2.1, 2.6]]), ["from -2.1 to 2.6", "undo a normalisation"]),
        (np.array([["a"]]), ["type <U1"]),
    ],
)
def test_what_is_no_picture_is_named(data, words):
    with pytest.raises(DataError) as error:
        decode(data, "cats/7.jpg")
    for word in ["cats/7.jpg", *words]:
        assert word in str(error.value)
