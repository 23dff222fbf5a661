"""IDX files, the format of MNIST: two zeros, a type, the number of axes, their lengths, then the values."""

import math

import numpy as np

from lamina.data.place import File
from lamina.ground.errors import DataError

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_HEAD = 4
_MAX_AXES = 8


def read_idx(file: File) -> dict[str, np.ndarray]:
    """The one array of an IDX file, under an empty name; mapped into memory when it lies on disk uncompressed.

    Raises:
        DataError: if the head is not that of an IDX file, or the file ends early or late.
    """
    path = file.path
    data = np.memmap(path, np.uint8, mode="r") if path and path.stat().st_size else np.frombuffer(file.read(), np.uint8)
    head = data[:_HEAD].tobytes()
    if len(head) < _HEAD or head[:2] != b"\0\0" or head[2] not in _TYPES or not 1 <= head[3] <= _MAX_AXES:
        raise DataError(
            f"{file.name} is no IDX file: it begins with {head!r}, not with two zeros, a type and the axes."
        )
    start = _HEAD + 4 * head[3]
    if len(data) < start:
        raise DataError(f"{file.name} ends inside its head, after {len(data)} bytes. Download it again.")
    shape = tuple(int(length) for length in data[_HEAD:start].view(">u4"))
    kind = np.dtype(_TYPES[head[2]])
    expected = start + math.prod(shape) * kind.itemsize
    if len(data) != expected:
        raise DataError(
            f"{file.name} states {' x '.join(map(str, shape))} values and so {expected:,} bytes, but holds "
            f"{len(data):,}. Download it again."
        )
    if not math.prod(shape):
        raise DataError(f"{file.name} states {' x '.join(map(str, shape))} values: it is empty.")
    array = data[start:].view(kind).reshape(shape)
    return {"": array if kind.itemsize == 1 else array.astype(kind.newbyteorder("="))}
