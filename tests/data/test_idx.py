"""IDX files, and the pairs of MNIST."""

import gzip

import numpy as np
import pytest

from lamina.data import decode, read
from lamina.ground import DataError


def idx(array: np.ndarray) -> bytes:
    code = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}[array.dtype.str[1:]]
    head = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


PICTURES = np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 4)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)


@pytest.mark.parametrize("packed", [False, True])
def test_the_four_files_of_mnist_become_pictures_classes_and_a_split(tmp_path, packed):
    for part, rows in (("train", slice(0, 3)), ("t10k", slice(3, 5))):
        for name, array in (("images-idx3", PICTURES[rows]), ("labels-idx1", LABELS[rows])):
            data = idx(array)
            path = tmp_path / f"{part}-{name}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(data) if packed else data)
    for sources in (tmp_path, sorted(tmp_path.iterdir(), reverse=True)):
        table = read(sources)
        assert table.columns == ["image", "class"]
        assert table.targets == ("class",)
        assert table.parts.tolist() == ["train"] * 3 + ["test"] * 2
        assert table.frame["class"].to_list() == LABELS.tolist()
        references = table.frame["image"]
        assert references[4].endswith(f"t10k-images-idx3-ubyte{'.gz' if packed else ''}#1")
        for reference, expected in zip(references, PICTURES, strict=True):
            np.testing.assert_array_equal(decode(table.open("image", reference), reference)[:, :, 0], expected)


def test_an_uncompressed_file_is_mapped_not_read(tmp_path):
    (tmp_path / "images.idx").write_bytes(idx(PICTURES))
    table = read(tmp_path / "images.idx")
    picture = table.open("image", "images.idx#2")
    while isinstance(picture, np.ndarray) and not isinstance(picture, np.memmap):
        picture = picture.base
    assert isinstance(picture, np.memmap)


def test_values_of_every_type_are_read(tmp_path):
    for kind in ("u1", "i1", "i2", "i4", "f4", "f8"):
        (tmp_path / "a.idx").write_bytes(idx(np.array([[1, 2], [3, 4]], kind)))
        assert read(tmp_path / "a.idx").frame.rows() == [(1, 2), (3, 4)]


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", ["no IDX file", "b''"]),
        (b"\0\0\x0e\x03" + bytes(4) + b"\xff" * 8, ["0 x 4294967295 x 4294967295", "empty"]),
        (b"\x89PNG1234", ["no IDX file", "two zeros"]),
        (b"\0\0\x08\x03\0\0", ["ends inside its head", "6 bytes"]),
        (idx(PICTURES)[:-7], ["5 x 3 x 4", "76 bytes", "69", "again"]),
    ],
)
def test_a_damaged_file_is_named(tmp_path, data, words):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(data)
    with pytest.raises(DataError) as error:
        read(tmp_path / "train-images-idx3-ubyte")
    for word in ["train-images-idx3-ubyte", *words]:
        assert word in str(error.value)


def test_pictures_and_labels_of_different_length_are_refused(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(PICTURES))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS[:4]))
    with pytest.raises(DataError, match=r"different lengths.*\(5, 3, 4\).*\(4,\)"):
        read(tmp_path)
