"""Small ready data sets, made on the spot: something to try a command on, and to test with. Nothing is downloaded."""

import io
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image, ImageDraw

from lamina.data._sample_pairs import pairs
from lamina.data.media import CellMedia
from lamina.data.table import Origin, Table
from lamina.ground.errors import DataError, listing, nearest
from lamina.ground.seed import numpy_generator

Contents = dict[str, bytes]
"""Files by their path in the sample; one file under an empty path for a sample that is a single file."""

SHAPE_SIDE = 48
SHAPES_EACH = 500

_TABLE_ANSWERS = {"iris": "species", "wine": "cultivar", "breast_cancer": "diagnosis", "diabetes": "progression",
                  "library": "answer"}  # fmt: skip
_DIABETES_COLUMNS = (
    *("age", "sex", "body_mass_index", "blood_pressure", "total_cholesterol", "ldl", "hdl"),
    *("cholesterol_ratio", "log_triglycerides", "glucose"),
)


def _png(picture: Image.Image) -> bytes:
    target = io.BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


def _digits() -> Contents:
    """1,797 handwritten digits, 8 x 8 grey, as scikit-learn holds them."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    pictures = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return {
        f"{target}/{number:04d}.png": _png(Image.fromarray(picture))
        for number, (picture, target) in enumerate(zip(pictures, digits.target, strict=True))
    }


def _shapes() -> Contents:
    """1,500 squares, triangles and stars of any size, turn, place and colour, 48 x 48."""
    return {
        f"{name}/{number:04d}.png": _png(_shape(name, number))
        for name in ("square", "star", "triangle")
        for number in range(SHAPES_EACH)
    }


def _shape(name: str, number: int) -> Image.Image:
    generator = numpy_generator("sample shapes", name, number)
    corners = {"square": 4, "triangle": 3, "star": 10}[name]
    fine = 3 * SHAPE_SIDE  # drawn three times as large, so that edges come out smooth
    radius = fine * generator.uniform(0.18, 0.46)
    centre = generator.uniform(radius, fine - radius, 2)
    angles = generator.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(corners) / corners
    reach = radius * np.where(np.arange(corners) % 2, 0.42, 1.0) if name == "star" else np.full(corners, radius)
    points = centre + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    ground = generator.integers(0, 256, 3)
    colour = (ground + generator.integers(90, 167, 3)) % 256  # away from the ground in every channel
    picture = Image.new("RGB", (fine, fine), tuple(ground.tolist()))
    ImageDraw.Draw(picture).polygon([tuple(point) for point in points.tolist()], fill=tuple(colour.tolist()))
    return picture.resize((SHAPE_SIDE, SHAPE_SIDE), Image.Resampling.BOX)


def _table(name: str) -> Contents:
    """A table of scikit-learn as CSV, classes by their names."""
    from sklearn import datasets

    bunch = datasets.load_diabetes(scaled=False) if name == "diabetes" else getattr(datasets, f"load_{name}")()
    words = list(_DIABETES_COLUMNS) if name == "diabetes" else [_word(column) for column in bunch.feature_names]
    answer = bunch.target if name == "diabetes" else np.asarray(bunch.target_names)[bunch.target]
    frame = pl.DataFrame(np.round(bunch.data, 6), schema=words).with_columns(pl.Series(_TABLE_ANSWERS[name], answer))
    return {"": frame.write_csv().encode()}


def _library() -> Contents:
    """Questions to a made-up library with their answers, as CSV."""
    return {"": pl.DataFrame(list(pairs()), schema=["question", "answer"], orient="row").write_csv().encode()}


def _word(column: str) -> str:
    return column.replace(" (cm)", "").replace("/", "_").replace(" ", "_")


SAMPLES: dict[str, str] = {
    "digits": "1,797 pictures of handwritten digits, 8 x 8 grey, a folder for each digit",
    "shapes": "1,500 pictures of squares, triangles and stars, 48 x 48 in colour, a folder for each shape",
    "iris": "150 flowers, 4 measures: which of 3 species",
    "wine": "178 wines, 13 measures: which of 3 cultivars",
    "breast_cancer": "569 tumours, 30 measures: benign or malignant",
    "diabetes": "442 patients, 10 measures: how far the disease went in a year, a number",
    "library": "444 questions to a library, each with one of 24 answers: pairs for a chatbot",
}
"""What there is, by name; the same content on every call."""

_MAKERS: dict[str, Callable[[], Contents]] = {
    "digits": _digits,
    "shapes": _shapes,
    "iris": lambda: _table("iris"),
    "wine": lambda: _table("wine"),
    "breast_cancer": lambda: _table("breast_cancer"),
    "diabetes": lambda: _table("diabetes"),
    "library": _library,
}


@cache
def _contents(name: str) -> Contents:
    if name not in SAMPLES:
        raise DataError(f"There is no sample {name!r}.{nearest(name, SAMPLES)} Samples: {listing(SAMPLES)}.")
    return dict(sorted(_MAKERS[name]().items()))


def sample(name: str) -> Table:
    """A sample as a table, as if it had been written and read; its answer is in `targets`.

    Raises:
        DataError: if there is no sample of this name.
    """
    contents = _contents(name)
    if "" in contents:
        frame = pl.read_csv(contents[""], infer_schema=False)
        return Table(frame, origins=(Origin(f"{name}.csv", frame.height, 2),), targets=(_TABLE_ANSWERS[name],))
    frame = pl.DataFrame(
        {
            "image": [f"{name}#{number}" for number in range(len(contents))],
            "class": [path.partition("/")[0] for path in contents],
        }
    )
    media = CellMedia({name: pl.Series(name, list(contents.values()), dtype=pl.Binary)})
    return Table(frame, {"image": media}, (Origin(name, frame.height, unit="picture"),), targets=("class",))


def write_sample(name: str, folder: str | Path) -> Path:
    """Write a sample into a folder: `iris.csv`, or `digits/` with a folder for each class. All of it or nothing.

    Args:
        name: one of SAMPLES.
        folder: made if it is not there.

    Returns:
        The file or folder written; one that holds the same already is left as it is.

    Raises:
        DataError: if there is no such sample, or something else lies where it would be written.
    """
    contents = _contents(name)
    folder = Path(folder)
    target = folder / (f"{name}.csv" if "" in contents else name)
    if os.path.lexists(target):
        if _holds(target, contents):
            return target
        raise DataError(f"{target} exists and is not the sample {name!r}. Move it away, or give another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=folder))
    try:
        made = draft / target.name
        for path, data in contents.items():
            file = made / path if path else made
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        made.rename(target)
    finally:
        shutil.rmtree(draft)
    return target


def _holds(target: Path, contents: Contents) -> bool:
    """Whether these files and no others are there."""
    if "" in contents:
        return target.is_file() and target.read_bytes() == contents[""]
    files = {path.relative_to(target).as_posix(): path for path in target.rglob("*") if path.is_file()}
    return files.keys() == contents.keys() and all(files[path].read_bytes() == data for path, data in contents.items())
