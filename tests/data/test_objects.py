"""Python objects are known by what they can do."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from torch.utils.data import Dataset, TensorDataset

from lamina.data import decode, read
from lamina.ground import DataError

PICTURES = np.random.default_rng(0).integers(0, 256, (4, 3, 6, 5), dtype=np.uint8)
LABELS = np.array([0, 1, 1, 0])


class Photos(Dataset):
    """A torch data set as torchvision writes them."""

    classes = ("cat", "dog")

    def __len__(self):
        return 4

    def __getitem__(self, number):
        return torch.from_numpy(PICTURES[number]).float() / 255, int(LABELS[number])


class HuggingFace:
    """The part of a Hugging Face data set that is relied upon."""

    class ClassLabel:
        names = ("no", "yes")

    def __init__(self, table):
        self.table = table
        self.column_names = table.column_names
        self.features = {"text": None, "label": self.ClassLabel()}

    def with_format(self, kind):
        assert kind == "arrow"
        return self

    def __getitem__(self, rows):
        return self.table

    def __len__(self):
        return len(self.table)


ROWS = pa.table({"text": ["a", "b"], "label": [1, 0]})


@pytest.mark.parametrize(
    "thing",
    [
        pd.DataFrame({"n": [1, 2], "s": ["a", None]}),
        pl.DataFrame({"n": [1, 2], "s": ["a", None]}),
        pl.LazyFrame({"n": [1, 2], "s": ["a", None]}),
        pa.table({"n": [1, 2], "s": ["a", None]}),
        {"n": [1, 2], "s": ["a", None]},
        {"n": np.array([1, 2]), "s": np.array(["a", None], object)},
        {"n": torch.tensor([1, 2]), "s": pl.Series(["a", None])},
    ],
)
def test_tables_and_dicts_of_columns(thing):
    table = read(thing)
    assert table.frame.rows() == [(1, "a"), (2, None)]
    assert table.columns == ["n", "s"] and table.name == "data"


@pytest.mark.parametrize(
    "thing",
    [
        (np.arange(6.0).reshape(3, 2), np.array([0, 1, 0])),
        (torch.arange(6.0).reshape(3, 2), [0, 1, 0]),
        TensorDataset(torch.arange(6.0).reshape(3, 2), torch.tensor([0, 1, 0])),
    ],
)
def test_inputs_and_answers(thing):
    table = read(thing)
    assert table.columns == ["column_1", "column_2", "y"] and table.targets == ("y",)
    assert table.frame.rows() == [(0, 1, 0), (2, 3, 1), (4, 5, 0)]


def test_a_frame_and_its_answers_keep_their_names():
    table = read((pd.DataFrame({"a": [1, 2]}), pd.Series([3, 4], name="price")))
    assert table.columns == ["a", "price"] and table.targets == ("price",)


@pytest.mark.parametrize(
    "thing",
    [
        (PICTURES, LABELS),
        (PICTURES.transpose(0, 2, 3, 1), LABELS),
        TensorDataset(*map(torch.tensor, (PICTURES, LABELS))),
    ],
)
def test_pictures_in_arrays_of_either_layout(thing):
    table = read(thing)
    assert table.columns == ["image", "class"] and table.targets == ("class",)
    for reference, expected in zip(table.frame["image"], PICTURES, strict=True):
        np.testing.assert_array_equal(decode(table.open("image", reference), reference), expected.transpose(1, 2, 0))


def test_a_pair_of_pairs_is_train_and_test():
    table = read(((PICTURES[:3], LABELS[:3]), (PICTURES[3:], LABELS[3:])))
    assert table.parts.tolist() == ["train"] * 3 + ["test"]
    np.testing.assert_array_equal(table.open("image", table.frame["image"][3]), PICTURES[3])


def test_a_dict_keeps_the_names_of_its_pictures_beside_other_columns():
    table = read({"Front View": PICTURES, "Total Area": [1, 2, 3, 4]})
    assert table.columns == ["Front View", "Total Area"] and list(table.media) == ["Front View"]
    named = read({"x_train": PICTURES[:3], "y_train": LABELS[:3], "x_test": PICTURES[3:], "y_test": LABELS[3:]})
    assert named.parts.tolist() == ["train"] * 3 + ["test"]


def test_a_torch_data_set_is_looked_at_once_and_opened_when_needed():
    table = read(Photos())
    assert table.frame["class"].to_list() == ["cat", "dog", "dog", "cat"] and table.targets == ("class",)
    for reference, expected in zip(table.frame["image"], PICTURES, strict=True):
        np.testing.assert_array_equal(decode(table.open("image", reference), reference), expected.transpose(1, 2, 0))
    assert len({table.media["image"].fingerprint(reference) for reference in table.frame["image"]}) == 4


def test_hugging_face_data_sets_bring_class_names_and_splits():
    table = read(HuggingFace(ROWS))
    assert table.frame.rows() == [("a", "yes"), ("b", "no")] and table.targets == ("label",)
    table = read({"train": HuggingFace(ROWS), "validation": HuggingFace(ROWS)})
    assert table.parts.tolist() == ["train", "train", "valid", "valid"]


@pytest.mark.parametrize(
    "thing, words",
    [
        ({"a": [1, 2], "b": [1]}, ["'a' 2", "'b' 1"]),
        ({"a": 5}, ["data/a is 5", "not a column"]),
        ({"a": [1, "x"]}, ["data/a", "int, str", "Give it one"]),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ["two columns called 'a'"]),
        (pd.DataFrame({"a": [1, "x"]}), ["'a'", "int, str", "astype"]),
        ((np.zeros((3, 2)), np.zeros(2)), ["different lengths", "(3, 2)", "(2,)"]),
        ((1, 2, 3, 4), ["a tuple of 4", "(inputs, answers)"]),
        ((pd.DataFrame({"a": [1]}), [1, 2]), ["2 answers", "1 rows"]),
        (object(), ["builtins.object", "pandas"]),
        (iter([1]), ["no length"]),
        (np.zeros((2, 2, 2, 2, 2)), ["(2, 2, 2, 2, 2)"]),
    ],
)
def test_what_is_no_data_is_refused_by_name(thing, words):
    with pytest.raises(DataError) as error:
        read(thing)
    for word in words:
        assert word in str(error.value)


def test_an_index_with_a_name_is_noted():
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 6], name="id"))
    assert "reset_index" in read(frame).notes[0]
