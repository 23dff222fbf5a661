"""Where pictures lie: files and archive members by name, arrays by number, cells that hold the bytes themselves."""

import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from lamina.data.archive import archive_suffix, open_archive
from lamina.data.picture import to_bytes
from lamina.data.place import Folder, Place
from lamina.ground.errors import DataError, listing

_PIECE = 4096
"""Pictures of an array looked at together when its range is measured."""
_NUMBER = re.compile("[0-9]{1,18}")


class Places:
    """The folders and archives of one reading, each opened once; as Media, a reference is `train.zip/train/7.jpg`."""

    def __init__(self) -> None:
        self._by_path: dict[Path, Place] = {}
        self._by_name: dict[str, Place] = {}

    def at(self, path: Path) -> Place:
        """The folder or archive at a path."""
        path = path.resolve()
        if path not in self._by_path:
            name = self._free_name(path)
            place = open_archive(path, name) if path.is_file() and archive_suffix(path.name) else Folder(path, name)
            self._by_path[path] = self._by_name[name] = place
        return self._by_path[path]

    def _free_name(self, path: Path) -> str:
        """The shortest end of a path that no other place has; nested places keep their folder's name in front."""
        for outer in path.parents:
            if outer in self._by_path:
                return f"{self._by_path[outer].name}/{path.relative_to(outer).as_posix()}"
        tails = ["/".join(path.parts[-length:]) for length in range(1, len(path.parts) + 1)]
        return next((tail for tail in tails if tail not in self._by_name), str(path))

    def _find(self, reference: str) -> tuple[Place, str] | None:
        for name in sorted(self._by_name, key=len, reverse=True):
            if reference.startswith(f"{name}/"):
                return self._by_name[name], reference[len(name) + 1 :]
        return None

    def knows(self, reference: str) -> bool:
        """Whether the reference begins with one of these places."""
        return self._find(reference) is not None

    def open(self, reference: str) -> bytes:
        """The bytes of the file.

        Raises:
            DataError: if it is not there or damaged.
        """
        found = self._find(reference)
        if found is None:
            raise DataError(
                f"{reference} was not found in {listing(self._by_name) or 'any folder given'}. "
                f"Give the folder or archive that holds it as data too, or leave out its row."
            )
        return found[0].read(found[1])

    def fingerprint(self, reference: str) -> str:
        """Size and time of change, or the checksum that an archive states; no reading."""
        found = self._find(reference)
        return found[0].fingerprint(found[1]) if found else "missing"


@dataclass(frozen=True, eq=False)
class Pictures:
    """One array of pictures: (count, height, width), or with channels last or first, of any common number type."""

    array: np.ndarray
    name: str
    """What references begin with: `train-images-idx3-ubyte.gz`."""

    @cached_property
    def digests(self) -> list[bytes]:
        """Of each picture, a number that changes with what it shows: equal pictures are found by it."""
        # What other numbers than bytes show depends on the range of the whole array.
        scale = b"" if self.array.dtype == np.uint8 else repr((self.array.dtype.str, self.range)).encode()
        found = []
        for picture in self.array:
            digest = hashlib.blake2b(scale, digest_size=16)
            digest.update(np.ascontiguousarray(picture).data)
            found.append(digest.digest())
        return found

    @cached_property
    def range(self) -> tuple[float, float]:
        """Lowest and highest value of the whole array: one dark picture must not be taken for another scale."""
        pieces = [self.array[start : start + _PIECE] for start in range(0, len(self.array), _PIECE)]
        return min(float(piece.min()) for piece in pieces), max(float(piece.max()) for piece in pieces)


@dataclass(frozen=True, eq=False)
class ArrayMedia:
    """Pictures in arrays; a reference is `name#number`, numbers from 0."""

    pictures: Mapping[str, Pictures]

    def _find(self, reference: str) -> tuple[Pictures, int]:
        name, _, number = reference.rpartition("#")
        pictures = self.pictures.get(name)
        if pictures is None or not _NUMBER.fullmatch(number) or int(number) >= len(pictures.array):
            sizes = [f"{name} ({len(inner.array):,})" for name, inner in self.pictures.items()]
            raise DataError(f"There is no picture {reference!r} in {listing(sizes)}.")
        return pictures, int(number)

    def knows(self, reference: str) -> bool:
        """Whether the reference names one of these arrays."""
        return reference.rpartition("#")[0] in self.pictures

    def open(self, reference: str) -> np.ndarray:
        """The picture as it lies in the array; numbers that are not uint8 are scaled by the whole array's range."""
        pictures, number = self._find(reference)
        picture = pictures.array[number]
        return picture if picture.dtype == np.uint8 else to_bytes(picture, reference, pictures.range)

    def fingerprint(self, reference: str) -> str:
        """A digest of the picture itself, wherever it lies."""
        pictures, number = self._find(reference)
        return f"{pictures.array.shape[1:]}-{pictures.digests[number].hex()}"


@dataclass(frozen=True, eq=False)
class CellMedia:
    """Pictures whose bytes lie in the cells of a typed file; a reference is `name#row`."""

    cells: Mapping[str, pl.Series]
    """Binary, by file and column."""

    def knows(self, reference: str) -> bool:
        """Whether the reference names one of these columns."""
        return reference.rpartition("#")[0] in self.cells

    def open(self, reference: str) -> bytes:
        """The bytes of the cell."""
        name, _, row = reference.rpartition("#")
        if name not in self.cells or not _NUMBER.fullmatch(row) or int(row) >= len(self.cells[name]):
            raise DataError(f"There is no picture {reference!r} in {listing(self.cells)}.")
        return self.cells[name][int(row)]

    def fingerprint(self, reference: str) -> str:
        """Checksum and size."""
        data = self.open(reference)
        return f"{zlib.crc32(data):08x}-{len(data)}"


@dataclass(frozen=True, eq=False)
class ObjectMedia:
    """Pictures that a Python object makes when asked; a reference is `name#number`."""

    name: str
    get: Callable[[int], "bytes | np.ndarray"]
    """Row number -> the picture."""
    stamps: Mapping[int, str] = field(default_factory=dict)
    """Row number -> what stands for the content."""

    def knows(self, reference: str) -> bool:
        """Whether the reference names this object."""
        return reference.rpartition("#")[0] == self.name

    def open(self, reference: str) -> bytes | np.ndarray:
        """The picture as the object gives it."""
        return self.get(int(reference.rpartition("#")[2]))

    def fingerprint(self, reference: str) -> str:
        """What was seen of the picture when the object was read."""
        return self.stamps.get(int(reference.rpartition("#")[2]), reference)


@dataclass(frozen=True, eq=False)
class JoinedMedia:
    """Several media behind one column of joined files; each reference is opened by the one that knows it."""

    media: tuple["Places | ArrayMedia | CellMedia | ObjectMedia", ...]

    def _of(self, reference: str) -> "Places | ArrayMedia | CellMedia | ObjectMedia":
        return next((one for one in self.media if one.knows(reference)), self.media[-1])

    def open(self, reference: str) -> bytes | np.ndarray:
        """What the medium of this reference gives."""
        return self._of(reference).open(reference)

    def fingerprint(self, reference: str) -> str:
        """What the medium of this reference says."""
        return self._of(reference).fingerprint(reference)
