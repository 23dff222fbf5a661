"""Samples: the same on every call, written whole or not at all."""

import numpy as np
import pytest

from lamina.data import decode, read, sample, write_sample
from lamina.data.samples import SAMPLES
from lamina.ground import DataError

SIZES = {
    "digits": (1_797, 10),
    "shapes": (1_500, 3),
    "iris": (150, 3),
    "wine": (178, 3),
    "breast_cancer": (569, 2),
    "diabetes": (442, 214),
    "library": (444, 24),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_written_and_read_is_the_sample(tmp_path, name):
    direct = sample(name)
    (target,) = direct.targets
    assert (len(direct), direct.frame[target].n_unique()) == SIZES[name]
    path = write_sample(name, tmp_path / "new")
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == [path.name]
    table = read(path)
    for column in table.columns:
        assert column == "image" or table.frame[column].equals(direct.frame[column])
    assert not table.notes
    for row in range(0, len(direct) if "image" in direct.media else 0, 300):
        first, second = (decode(one.open("image", one.frame["image"][row]), name) for one in (direct, table))
        np.testing.assert_array_equal(first, second)
    assert write_sample(name, tmp_path / "new") == path


def test_something_else_is_not_overwritten(tmp_path):
    (tmp_path / "iris.csv").write_text("mine")
    (tmp_path / "digits").mkdir()
    for name in ("iris", "digits"):
        with pytest.raises(DataError, match=rf"{name}.* is not the sample '{name}'. Move it away"):
            write_sample(name, tmp_path)
    assert (tmp_path / "iris.csv").read_text() == "mine"


def test_an_unknown_sample_is_named():
    with pytest.raises(DataError, match=r"no sample 'irsi'. Did you mean 'iris'"):
        sample("irsi")
