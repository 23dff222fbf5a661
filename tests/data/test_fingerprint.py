"""The fingerprint follows the content, not the way it lies in memory."""

import os
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lamina.data import changes, contents, fingerprint, fingerprint_of, read, sample

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


@pytest.mark.parametrize(
    "other, said",
    [
        (FRAME.clone(), []),
        (FRAME.with_columns(n=pl.Series([1, 0, 3])), ["column 'n' holds other values"]),
        (FRAME.with_columns(n=pl.col("n").cast(pl.Float64)), ["column 'n' holds Float64 (held Int64)"]),
        (FRAME.rename({"n": "m"}), ["column 'm' is new", "column 'n' is gone"]),
        (FRAME[:2], ["{file} has 2 rows (had 3)"]),
        (FRAME.select("x", "n", "s", "b"), ["the columns stand in another order"]),
    ],
)
def test_what_changed_is_named(other, said):
    before, now = contents(read(FRAME)), contents(read(other))
    (file,) = before["files"]
    assert changes(now, before) == [words.format(file=file) for words in said]
    assert fingerprint_of(before) == fingerprint(read(FRAME))
    assert (fingerprint_of(now) == fingerprint_of(before)) == (not said)


def test_a_change_is_named_with_its_file(tmp_path):
    def written(**frames):
        for name, frame in frames.items():
            frame.write_csv(tmp_path / f"{name}.csv")
        return contents(read([tmp_path / f"{name}.csv" for name in frames]))

    before = written(one=FRAME, two=FRAME)
    altered = FRAME.with_columns(s=pl.Series(["a", None, "d"]))
    assert changes(written(one=FRAME, two=altered), before) == ["column 's' holds other values in two.csv"]
    assert changes(written(one=FRAME, three=FRAME), before) == ["three.csv is new (3 rows)", "two.csv is gone (3 rows)"]


def test_other_pictures_and_another_split_are_named(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(bytes([number]))
    before = read(tmp_path)
    held = contents(before)
    os.utime(tmp_path / "1.png", (1, 1))
    assert changes(contents(read(tmp_path)), held) == ["column 'image' holds other files"]
    divided = replace(before, parts=np.full(len(before), "train"))
    assert "the rows are divided otherwise into training and test rows" in changes(contents(divided), held)
