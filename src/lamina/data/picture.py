"""One picture: from the bytes of a file, or an array, to (height, width, channels) of uint8."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

from lamina.ground.errors import DataError

PICTURES: dict[str, str] = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".ppm": "PPM",
    ".pgm": "PPM",
    ".pbm": "PPM",
    ".pnm": "PPM",
}
"""The suffixes of pictures, and the Pillow format that each stands for; no other format is ever opened."""

MAX_PIXELS = 89_000_000
"""Height times width; a larger picture is refused before it is decoded. Just below where Pillow itself warns."""

_FORMATS = sorted(set(PICTURES.values()))
# As Pillow's readers stumble over what is damaged or made to harm.
_DAMAGED = (
    OSError, SyntaxError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError,
    MemoryError, EOFError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"RIFF")
_GREY_MODES = ("1", "L", "LA", "La")
_TURNED_SIDEWAYS = (5, 6, 7, 8)  # values of the EXIF tag 0x0112 that swap height and width
_CHANNELS = (1, 3, 4)


def decode(data: bytes | np.ndarray, where: str, max_pixels: int = MAX_PIXELS,
           enough: tuple[int, int] | None = None) -> np.ndarray:  # fmt: skip
    """A picture as (height, width, channels) of uint8: 1 channel if it is grey, otherwise 3.

    Turned as the camera says (EXIF), transparent parts on white, 16 bits a channel scaled to 8, the first frame of
    an animation. Arrays may hold bool, 0 to 1, -1 to 1, 0 to 255 or 16-bit values, with channels last, first or none.

    Args:
        data: the bytes of a JPEG, PNG, WebP, BMP, GIF, PPM or PGM file, or an array.
        where: what messages call it.
        max_pixels: height times width that is still decoded.
        enough: (height, width) beyond which nothing is asked for: a JPEG of twice, four or eight times that comes at
            a half, a quarter or an eighth of its sides, averaged and never smaller than this, in a part of the time.
            None decodes every pixel.

    Raises:
        DataError: if it is damaged, cut short, too large or no picture; the message names it.
    """
    if isinstance(data, np.ndarray):
        return _from_array(data, where)
    image = _opened(data, where, max_pixels)
    try:
        if enough:
            height, width = enough
            image.draft(None, (height, width) if _lies_sideways(image) else (width, height))
        image = ImageOps.exif_transpose(image)
        return np.array(_plain(image, where))
    except _DAMAGED as error:
        raise DataError(
            f"{where} is damaged or cut short ({error}); {len(data):,} bytes were read. Copy it again, or take it out."
        ) from error


def size(data: bytes | np.ndarray, where: str = "the picture") -> tuple[int, int, int]:
    """(height, width, channels) that `decode` would give; of a file, only its beginning is read.

    Raises:
        DataError: if it is no picture.
    """
    if isinstance(data, np.ndarray):
        height, width, channels = _channels_last(data, where).shape
        return height, width, min(channels, 3)
    image = _opened(data, where, max_pixels=None)
    height, width = image.height, image.width
    if _lies_sideways(image):
        height, width = width, height
    return height, width, 1 if image.mode in _GREY_MODES or image.mode.startswith("I") else 3


def _opened(data: bytes, where: str, max_pixels: int | None) -> Image.Image:
    """The picture with its head read and its pixels not yet decoded."""
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{where} is too large: {error}. Scale it down first.") from error
    except _DAMAGED as error:
        if data.startswith(_HEADS):
            raise DataError(
                f"{where} is damaged or cut short; {len(data):,} bytes were read. Copy it again, or take it out."
            ) from error
        found = "is empty" if not data else f"begins with {data[:8]!r}"
        raise DataError(
            f"{where} is no picture that can be read: it {found}. Pictures are JPEG, PNG, WebP, BMP, GIF, PPM or PGM."
        ) from error
    if max_pixels is not None and image.width * image.height > max_pixels:
        raise DataError(
            f"{where} has {image.width:,} x {image.height:,} pixels; at most {max_pixels:,} in all are decoded. "
            f"Scale it down first."
        )
    return image


def _lies_sideways(image: Image.Image) -> bool:
    """Whether the camera says that its height is the picture's width."""
    try:
        return image.getexif().get(0x0112) in _TURNED_SIDEWAYS
    except _DAMAGED:  # a PNG may say it behind its pixels, and those are cut short: `decode` names that
        return False


def _plain(image: Image.Image, where: str) -> Image.Image | np.ndarray:
    """Any Pillow mode to 8-bit grey (height, width, 1) or colour (height, width, 3)."""
    if image.mode.startswith("I"):  # 16-bit grey: `I;16` of PNG, `I` of PGM
        return to_bytes(np.asarray(image), where, (0, 65535))[:, :, None]
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        grey = image.mode in _GREY_MODES
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        return np.asarray(image)[:, :, :1] if grey else image
    if image.mode in _GREY_MODES:
        return np.asarray(image.convert("L"))[:, :, None]
    return image.convert("RGB")


def _channels_last(array: np.ndarray, where: str) -> np.ndarray:
    """(height, width) or a picture with channels first or last -> (height, width, channels of 1, 3 or 4)."""
    if array.ndim == 2:
        array = array[:, :, None]
    elif array.ndim == 3 and array.shape[2] not in _CHANNELS and array.shape[0] in _CHANNELS:
        array = array.transpose(1, 2, 0)
    if array.ndim != 3 or array.shape[2] not in _CHANNELS or 0 in array.shape:
        raise DataError(
            f"{where} is an array of shape {array.shape}, which is no picture: (height, width), "
            f"(height, width, channels) or (channels, height, width) with 1, 3 or 4 channels are."
        )
    return array


def _from_array(array: np.ndarray, where: str) -> np.ndarray:
    array = to_bytes(_channels_last(array, where), where)
    if array.shape[2] == 4:
        alpha = array[:, :, 3:].astype(np.uint16)
        array = ((array[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(array)


def to_bytes(array: np.ndarray, where: str, span: tuple[float, float] | None = None) -> np.ndarray:
    """Values of any common range as uint8.

    Args:
        array: bool, integers or floats; any shape.
        where: what messages call it.
        span: lowest and highest value that decide the range: of the whole collection if there is one, or None for
            those of this array.

    Raises:
        DataError: if the values are no brightness: text, complex, NaN, or outside every range that is known.
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "iuf":
        raise DataError(f"{where} holds values of type {array.dtype}; brightness is uint8, 16-bit, bool or a float.")
    low, high = span or (float(array.min()), float(array.max()))
    if array.dtype.kind == "f" and low >= -1 and high <= 1:
        scaled = array * 255.0 if low >= 0 else (array + 1.0) * 127.5
    elif low >= 0 and high <= 255:
        scaled = array
    elif array.dtype.kind in "iu" and low >= 0 and high <= 65535:
        scaled = array / 257.0
    else:
        raise DataError(
            f"{where} holds values from {low:g} to {high:g}, which is no brightness. "
            f"Give 0 to 1, -1 to 1, 0 to 255 or 16-bit values; undo a normalisation first."
        )
    return np.rint(scaled).astype(np.uint8)
