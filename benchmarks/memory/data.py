"""Data of any weight: photographs in class folders, and a table of numbers."""

import io
import os
import shutil
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

CLASSES = 4
DRAWN = 400
"""Photographs that are drawn; more are copies that differ in a comment, so that no two files are equal."""
HEIGHT, WIDTH = 480, 640
BLOCK_ROWS = 200_000
"""Rows of numbers that are drawn; a longer table repeats them."""
NUMBERS = 14


def photos(folder: Path, count: int) -> int:
    """Writes JPEG files of 640 x 480, a folder for each of four classes: stripes of two widths, upright or level.

    Returns:
        their weight in bytes.
    """
    drawn = [_photo(number) for number in range(min(count, DRAWN))]
    for number in range(CLASSES):
        (folder / str(number)).mkdir(parents=True, exist_ok=True)
    weight = 0
    for number in range(count):
        start, rest = drawn[number % DRAWN][:2], drawn[number % DRAWN][2:]
        said = f"{number:08}".encode()
        comment = b"\xff\xfe" + (2 + len(said)).to_bytes(2, "big") + said
        path = folder / str(number % DRAWN % CLASSES) / f"{number:08}.jpg"
        weight += path.write_bytes(start + comment + rest)
    return weight


def _photo(number: int) -> bytes:
    generator = np.random.default_rng(number)
    coarse = Image.fromarray(generator.integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3), dtype=np.uint8))
    ground = np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), dtype=np.float32)
    grain = generator.normal(0, 12, (HEIGHT, WIDTH, 1)).astype(np.float32)
    kind = number % CLASSES
    length = (40, 90)[kind % 2] * generator.uniform(0.9, 1.1)
    places = np.arange(WIDTH)[None, :, None] if kind < CLASSES // 2 else np.arange(HEIGHT)[:, None, None]
    stripes = 60 * np.sin(2 * np.pi * (places / length + generator.random())).astype(np.float32)
    target = io.BytesIO()
    Image.fromarray((ground + grain + stripes).clip(0, 255).astype(np.uint8)).save(target, "JPEG", quality=90)
    return target.getvalue()


def table(path: Path, count: int) -> int:
    """Writes a CSV file of 14 numbers and an answer that follows from three of them.

    Args:
        path: of the file.
        count: of rows: at most `BLOCK_ROWS`, or a multiple of that.

    Returns:
        its weight in bytes.
    """
    generator = np.random.default_rng(0)
    drawn = min(count, BLOCK_ROWS)
    numbers = generator.standard_normal((drawn, NUMBERS)).round(5)
    frame = pl.DataFrame(numbers, schema=[f"number_{place}" for place in range(NUMBERS)])
    answer = np.where(numbers[:, 0] + numbers[:, 1] * numbers[:, 2] > 0, "above", "below")
    frame = frame.with_columns(pl.Series("answer", answer))
    path.parent.mkdir(parents=True, exist_ok=True)
    block = path.with_suffix(".block")
    frame.write_csv(block, include_header=False)
    with path.open("wb") as file:
        file.write((",".join(frame.columns) + "\n").encode())
        for _ in range(count // drawn):
            with block.open("rb") as rows:
                shutil.copyfileobj(rows, file, 1 << 20)
    block.unlink()
    return path.stat().st_size


def forget(place: Path) -> None:
    """Asks the system to drop the files of a folder, or one file, from its page cache, so that they are read anew."""
    for path in [place] if place.is_file() else place.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
