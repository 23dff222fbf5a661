"""NumPy files: arrays find each other by name."""

import numpy as np
import polars as pl
import pytest

from lamina.data import decode, read
from lamina.ground import DataError

PICTURES = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)


def test_pictures_and_labels_of_an_npz_are_matched_by_name(tmp_path):
    parts = {"train": slice(0, 3), "val": slice(3, 4), "test": slice(4, 6)}
    arrays = {f"{part}_images": PICTURES[rows] for part, rows in parts.items()}
    arrays |= {f"{part}_labels": np.arange(6)[rows, None] for part, rows in parts.items()}
    np.savez(tmp_path / "xray.npz", **arrays)
    table = read(tmp_path / "xray.npz")
    assert table.parts.tolist() == ["train"] * 3 + ["valid"] + ["test"] * 2
    assert table.frame["class"].to_list() == list(range(6))
    assert table.targets == ("class",)
    assert table.frame["image"][3] == "xray.npz/val_images#0"
    np.testing.assert_array_equal(table.open("image", "xray.npz/test_images#1"), PICTURES[5])


def test_x_and_y_become_columns_and_the_answer(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.arange(6.0).reshape(3, 2), y=np.array([0, 1, 0]))
    table = read(tmp_path / "a.npz")
    assert table.columns == ["column_1", "column_2", "y"]
    assert table.targets == ("y",)
    assert table.frame.rows() == [(0, 1, 0), (2, 3, 1), (4, 5, 0)]


def test_npy_files_side_by_side_are_matched_too_and_mapped(tmp_path):
    for name, array in {
        "X_train": PICTURES[:4],
        "y_train": np.array(["a", "b", "a", "b"]),
        "X_test": PICTURES[4:],
        "y_test": np.array(["a", "b"]),
    }.items():
        np.save(tmp_path / f"{name}.npy", array)
    table = read(tmp_path)
    assert table.frame["class"].to_list() == ["a", "b", "a", "b", "a", "b"]
    assert table.parts.tolist() == ["train"] * 4 + ["test"] * 2
    assert isinstance(table.open("image", table.frame["image"][0]).base, np.memmap)


def test_float_pictures_are_scaled_by_the_range_of_them_all(tmp_path):
    pictures = np.stack([np.zeros((4, 4)), np.full((4, 4), 1.0), np.full((4, 4), 200.0)])
    np.save(tmp_path / "images.npy", pictures)
    table = read(tmp_path / "images.npy")
    shades = [decode(table.open("image", cell), cell)[0, 0, 0] for cell in table.frame["image"]]
    assert shades == [0, 1, 200]


def test_arrays_without_an_entry_a_row_are_left_out_with_a_note(tmp_path):
    np.savez(tmp_path / "a.npz", images=PICTURES, labels=np.arange(6), label_names=np.array(["no", "yes"]))
    with pytest.raises(DataError, match="different lengths"):
        read(tmp_path / "a.npz")  # `label_names` says labels
    np.savez(tmp_path / "a.npz", images=PICTURES, labels=np.arange(6), mean=np.array([1.0, 2.0]), age=np.arange(6))
    table = read(tmp_path / "a.npz")
    assert table.columns == ["image", "age", "class"]
    assert "left out" in table.notes[0] and "a.npz/mean (2,)" in table.notes[0]


@pytest.mark.parametrize(
    "arrays, words",
    [
        ({"X": np.zeros((3, 2)), "y": np.zeros(2)}, ["different lengths", "(3, 2)", "(2,)"]),
        ({"X": np.zeros((0, 2))}, ["no row"]),
        ({"X": np.zeros((3, 0, 3), np.float16)}, ["(3, 0, 3)", "without a single pixel"]),
        ({"X": np.zeros((3, 2, 2), "M8[D]")}, ["(3, 2, 2)", "datetime64[D]", "pictures are numbers"]),
        ({"X": np.full((3, 2, 2), "a")}, ["<U1", "pictures are numbers"]),
        ({"X": np.zeros(3, "M8")}, ["without a unit"]),
        ({"X": np.zeros((3, 2, 2, 2, 2))}, ["(3, 2, 2, 2, 2)", "neither a table"]),
        ({"X": np.array([{"a": 1}], object)}, ["Python objects", "never loaded"]),
        ({"X": np.zeros(3, complex)}, ["complex128"]),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, arrays, words):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError) as error:
        read(tmp_path / "a.npz")
    for word in ["a.npz", *words]:
        assert word in str(error.value)


@pytest.mark.parametrize("letter", [0x110000, 0xD800, 0xFFFFFFFF])
@pytest.mark.parametrize("order", "<>")
def test_text_of_letters_that_do_not_exist_is_refused(tmp_path, letter, order):
    np.save(tmp_path / "a.npy", np.array(["ab", "cd"], dtype=f"{order}U2"))
    data = bytearray((tmp_path / "a.npy").read_bytes())
    data[-4:] = letter.to_bytes(4, "little" if order == "<" else "big")
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(DataError, match=r"a.npy holds text with letters that do not exist"):
        read(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_a_damaged_file_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=f"{name} "):
        read(tmp_path / name)


@pytest.mark.parametrize("unit", ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "2D", "30m"])
def test_dates_of_any_unit_are_read(tmp_path, unit):
    days = np.array(["2024-01-01", "1999-12-31"], "M8[D]").astype(f"M8[{unit}]")
    np.savez(tmp_path / "a.npz", day=days, y=np.arange(2))
    read_days = read(tmp_path / "a.npz").frame["day"].cast(pl.Datetime("ms")).to_numpy()
    assert (read_days == days.astype("M8[ms]")).all()


def test_dates_beyond_what_can_be_counted_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", day=np.array([2**60, 0]).astype("M8[Y]"), y=np.arange(2))
    with pytest.raises(DataError, match="too far away"):
        read(tmp_path / "a.npz")
