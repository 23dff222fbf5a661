"""Public data as people bring it, where LAMINA_DATA names its folder."""

import numpy as np
import pytest

from lamina.data import decode, fingerprint, read

ROWS = {
    # name: (rows, columns, rows that are train, the shape of the first picture and its column)
    "mnist": (70_000, 2, 60_000, ("image", (28, 28, 1))),
    "cifar10": (10_000, 2, 8_000, ("image", (32, 32, 3))),
    "fashion_mnist": (12_000, 2, 7_000, ("image", (28, 28, 1))),
    "traffic_signs": (2_386, 2, 1_698, ("image", (35, 35, 3))),
    "hot_dog": (250, 2, 200, ("image", (149, 224, 3))),
    "pneumonia_xray": (3_166, 2, 2_428, ("image", (28, 28, 1))),
    "faces_orl": (400, 2, None, ("image", (112, 92, 1))),
    "driving": (1_351, 5, 1_081, ("center", (80, 160, 3))),
    "houses_multimodal": (535, 9, 430, ("kitchen", (80, 80, 3))),
    "adult_income": (48_842, 15, 32_561, None),
    "bank_marketing": (4_119, 21, None, None),
    "oil_spill": (937, 50, None, None),
    "snips": (14_484, 3, 13_084, None),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_folder_of_public_data_is_read(data_folder, name):
    rows, columns, train, picture = ROWS[name]
    table = read(data_folder / name)
    assert table.frame.shape == (rows, columns)
    assert (None if table.parts is None else int((table.parts == "train").sum())) == train
    assert len(fingerprint(table)) == 64
    if picture:
        column, shape = picture
        reference = table.frame[column][0]
        assert decode(table.open(column, reference), reference).shape == shape


def test_the_four_files_of_mnist_in_any_order(data_folder):
    table = read(sorted((data_folder / "mnist").iterdir()))
    assert (table.parts == "test").sum() == 10_000
    labels = table.frame["class"].to_numpy()
    assert labels[table.parts == "train"][:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    np.testing.assert_array_equal(np.unique(labels), np.arange(10))


def test_a_table_without_column_names_says_so(data_folder):
    table = read(data_folder / "oil_spill" / "oil-spill.csv")
    assert table.columns[-1] == "column_50" and "no line of column names" in table.notes[0]
    assert "`;`" in read(data_folder / "bank_marketing" / "bank-additional.csv").notes[0]


def test_test_rows_given_apart(data_folder):
    folder = data_folder / "adult_income"
    table = read(folder / "train.csv.gz", test=folder / "test.csv.gz")
    assert (table.parts == "test").sum() == 16_281
