"""The fingerprint follows the content, not the way it lies in memory."""

import os
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lamina.data import fingerprint, read, sample

FRAME = pl.DataFrame(
    {"n": [1, None, 3], "x": [0.5, 1.5, float("nan")], "s": ["a", None, "c"], "b": [True, None, False]}
)


def test_the_same_content_in_other_memory_is_the_same():
    pieces = pl.concat([FRAME[:1], FRAME[1:]], rechunk=False)
    assert fingerprint(read(FRAME)) == fingerprint(read(pieces)) == fingerprint(read(FRAME.clone()))


@pytest.mark.parametrize(
    "other",
    [
        FRAME.rename({"n": "m"}),
        FRAME.with_columns(n=pl.Series([1, 0, 3])),
        FRAME.with_columns(s=pl.Series(["a", "", "c"])),
        FRAME.with_columns(s=pl.Series(["ac", None, ""])),
        FRAME.with_columns(n=pl.col("n").cast(pl.Float64)),
        FRAME.reverse(),
        FRAME[:2],
        FRAME.select("x", "n", "s", "b"),
    ],
)
def test_any_change_is_seen(other):
    assert fingerprint(read(other)) != fingerprint(read(FRAME))


def test_the_split_and_changed_pictures_are_seen(tmp_path):
    table = sample("iris")
    assert fingerprint(table) != fingerprint(replace(table, parts=np.full(len(table), "train")))
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(bytes([number]))
    before = fingerprint(read(tmp_path))
    assert fingerprint(read(tmp_path)) == before
    os.utime(tmp_path / "1.png", (1, 1))
    assert fingerprint(read(tmp_path)) != before
