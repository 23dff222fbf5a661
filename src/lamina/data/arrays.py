"""NumPy files and named arrays: which array is the pictures, which the labels, which part of a split each is.

`train_images` belongs to `train_labels` and `x_test` to `y_test`, whether they are members of one .npz, IDX files
side by side, .npy files, or entries of a dict. What is left of a name without the part says what the array is.
"""

import io
import lzma
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lamina.data.archive import check_zip
from lamina.data.join import Piece, name_part, word_part
from lamina.data.media import ArrayMedia, Pictures
from lamina.data.place import File
from lamina.data.table import Media, Origin, Table
from lamina.ground.errors import DataError, listing

_INPUTS = frozenset({"x", "image", "images", "imgs", "pictures", "pixels", "data", "features", "inputs", "input"})
_TARGETS = frozenset({"y", "label", "labels", "target", "targets", "class", "classes", "answer", "answers"})
_MAGIC = b"\x93NUMPY"
# As NumPy's reader, and the reader of .zip files below it, stumble over what is damaged.
_STUMBLES = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError, RuntimeError, SyntaxError,
    OSError, EOFError, struct.error, zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError,
)  # fmt: skip
_FINER = ("ps", "fs", "as")
"""Units of dates that are finer than any of Polars."""
_UNITS = {**dict.fromkeys("YMWD", "D"), **dict.fromkeys(("h", "m", "s", "ms"), "ms"), "us": "us", "ns": "ns",
          **dict.fromkeys(_FINER, "ns")}  # fmt: skip
"""Those of NumPy, and in which of Polars' each is kept."""
_NOISE = re.compile(r"idx\d*|ubyte|npy|npz|gz|\d+")


@dataclass(frozen=True, eq=False)
class Named:
    """An array and where it comes from."""

    key: str
    """Its own name: `train_images`, `t10k-labels-idx1-ubyte.gz`."""
    array: np.ndarray
    where: str
    """What references and messages call it: `xray.npz/train_images`."""
    file: str
    """The file it lies in: `xray.npz`."""

    @property
    def words(self) -> list[str]:
        """The words of its key that mean something."""
        words = re.split(r"[^a-z0-9]+", self.key.lower())
        return [word for word in words if word and (word_part(word) or not _NOISE.fullmatch(word))]

    @property
    def part(self) -> str | None:
        """The part of a split that its key says, or else its file's name."""
        return next((part for word in self.words if (part := word_part(word))), None) or name_part(self.file)

    @property
    def role(self) -> str:
        """What the rest of the key says: `inputs`, `targets`, or the rest itself."""
        rest = [word for word in self.words if not word_part(word)]
        if any(word in _TARGETS for word in rest):
            return "targets"
        return "inputs" if not rest or any(word in _INPUTS for word in rest) else "_".join(rest)

    @property
    def shape(self) -> str:
        """`x_train (60000, 28, 28)`, for messages."""
        return f"{self.where} {tuple(self.array.shape)}"

    @property
    def is_pictures(self) -> bool:
        """Whether each entry is a picture: three axes, or four with 1, 3 or 4 channels."""
        shape = self.array.shape
        return len(shape) == 3 or (len(shape) == 4 and (shape[1] in (1, 3, 4) or shape[3] in (1, 3, 4)))


def read_npy(file: File) -> dict[str, np.ndarray]:
    """The one array of a .npy file, under an empty name; mapped into memory when it lies on disk uncompressed."""
    if not file.head(len(_MAGIC)).startswith(_MAGIC):
        raise _not_numpy(file)
    try:
        if file.path:
            return {"": np.load(file.path, mmap_mode="r", allow_pickle=False)}
        return {"": np.load(io.BytesIO(file.read()), allow_pickle=False)}
    except _STUMBLES as error:
        raise _unreadable(file.name, error) from error


def read_npz(file: File) -> dict[str, np.ndarray]:
    """The arrays of a .npz file by name; members that are no arrays are left alone."""
    if file.head(2) != b"PK":
        raise _not_numpy(file)
    packed = file.path or io.BytesIO(file.read())
    check_zip(packed, file.name)
    try:
        with np.load(packed, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except _STUMBLES as error:
        raise _unreadable(file.name, error) from error
    found = {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}
    if not found:
        raise DataError(f"{file.name} holds no array. np.savez(path, X=..., y=...) writes a file that does.")
    return found


def _not_numpy(file: File) -> DataError:
    head = file.head(8)
    found = f"begins with {head!r}" if head else "is empty"
    return DataError(f"{file.name} is not a sound NumPy file: it {found}. Save or download it again.")


def _unreadable(where: str, error: Exception) -> DataError:
    if "allow_pickle" in str(error) or "Object arrays" in str(error) or "Python objects" in str(error):
        return DataError(
            f"{where} holds Python objects (pickle), which could run code and are never loaded. Save plain arrays of "
            f"numbers or text: array.astype(float), array.astype(str)."
        )
    said = "it claims more numbers than the memory holds" if isinstance(error, MemoryError) else str(error)[:120]
    return DataError(f"{where} is not a sound NumPy file: {said.rstrip('.')}. Save or download it again.")


def named_arrays(file: File, arrays: dict[str, np.ndarray]) -> list[Named]:
    """Arrays of a file with their names."""
    return [
        Named(key or file.member.rpartition("/")[2], array, f"{file.name}/{key}" if key else file.name, file.name)
        for key, array in arrays.items()
    ]


def array_pieces(arrays: Sequence[Named]) -> list[Piece]:
    """A table for each part of a split that the names say, or one.

    Raises:
        DataError: if arrays of one part have differing lengths, two are of one role, or one is of no use.
    """
    parts = {named.part for named in arrays if named.role in ("inputs", "targets")} or {None}
    order = [part for part in (None, "train", "valid", "test") if part in parts]
    return [_piece([named for named in arrays if named.part == part], part) for part in order]


def _piece(arrays: Sequence[Named], part: str | None) -> Piece:
    for named in arrays:
        if named.array.dtype.kind == "U" and not _is_text(named.array):
            raise DataError(
                f"{named.where} holds text with letters that do not exist: the file is damaged. Save it again."
            )
        if named.array.dtype.kind not in "biufUSM":
            raise DataError(
                f"{named.where} holds values of type {named.array.dtype}; numbers, text and dates are read."
            )
    mains = [named for named in arrays if named.role in ("inputs", "targets")] or list(arrays)
    rows = len(mains[0].array) if mains[0].array.ndim else 0
    for named in mains:
        if not named.array.ndim or len(named.array) != rows:
            raise DataError(
                f"Arrays that belong together have different lengths: {listing(one.shape for one in mains)}. "
                f"Give each row of one its row in the other."
            )
    if not rows:
        raise DataError(f"{mains[0].shape} holds no row.")
    fitting = [named for named in arrays if named.array.ndim and len(named.array) == rows]
    left_out = [named.shape for named in arrays if named not in fitting]
    fitting.sort(key=lambda named: (named.role == "targets", named.role != "inputs"))
    columns: list[pl.Series] = []
    media: dict[str, Media] = {}
    targets: list[str] = []
    has_pictures = any(named.is_pictures for named in fitting)
    for named in fitting:
        added = _columns(named, media, has_pictures, plain=len(arrays) == 1)
        columns += added
        if named.role == "targets":
            targets += [column.name for column in added]
    names = [column.name for column in columns]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise DataError(f"Two arrays give a column {doubled!r}: {listing(one.shape for one in fitting)}. Rename one.")
    notes = (f"{mains[0].file}: left out, as they have no entry a row: {listing(left_out)}.",) if left_out else ()
    origin = Origin(mains[0].file, rows, unit="row")
    return Piece(Table(pl.DataFrame(columns), media, (origin,), notes=notes, targets=tuple(targets)), part)


def _is_text(array: np.ndarray) -> bool:
    """Whether every letter is one: NumPy takes any 32 bits for a letter, and fails when text is made of them."""
    letters = np.ascontiguousarray(array).view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
    return not ((letters > 0x10FFFF) | ((letters >= 0xD800) & (letters < 0xE000))).any()


def _columns(named: Named, media: dict[str, Media], beside_pictures: bool, plain: bool) -> list[pl.Series]:
    """The columns of one array: a reference a picture, a column for each of few numbers, or the values themselves."""
    array = named.array
    if named.is_pictures:
        if not array.size:
            raise DataError(f"{named.shape} holds pictures without a single pixel.")
        if array.dtype.kind not in "biuf":
            raise DataError(f"{named.shape} looks like pictures, but holds {array.dtype}; pictures are numbers.")
        name = "image" if named.role == "inputs" else named.role
        media[name] = ArrayMedia({named.where: Pictures(array, named.where)})
        return [pl.Series(name, [f"{named.where}#{number}" for number in range(len(array))], dtype=pl.String)]
    if array.dtype.kind == "M":
        array = _dates(array, named.where)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim > 2:
        raise DataError(
            f"{named.shape} is neither a table (rows, columns) nor pictures (count, height, width) with 1, 3 or "
            f"4 channels last or first."
        )
    rest = "_".join(word for word in named.words if not word_part(word)) or "column"
    if named.role == "targets" and beside_pictures and array.dtype.kind != "f":
        rest = "class"
    if array.ndim == 1:
        return [_series(rest if not plain or named.role != "inputs" else "column_1", array)]
    stem = "column" if named.role == "inputs" else rest
    return [_series(f"{stem}_{number + 1}", array[:, number]) for number in range(array.shape[1])]


def _series(name: str, array: np.ndarray) -> pl.Series:
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    if array.dtype.kind == "f":
        return pl.Series(name, np.array(array, dtype=np.float64), nan_to_null=True)
    if array.dtype.kind == "U":
        return pl.Series(name, array.tolist(), dtype=pl.String)
    return pl.Series(name, np.array(array))


def _dates(array: np.ndarray, where: str) -> np.ndarray:
    """In one of the units that Polars has."""
    unit = np.datetime_data(array.dtype)[0]
    if unit not in _UNITS:
        raise DataError(
            f"{where} holds dates without a unit ({array.dtype}). Save them as days: array.astype('M8[D]')."
        )
    found = array.astype(f"M8[{_UNITS[unit]}]")
    if unit not in _FINER and not ((found.astype(array.dtype) == array) | np.isnat(array)).all():
        raise DataError(f"{where} holds dates that are too far away to be counted ({array.dtype}).")
    return found
