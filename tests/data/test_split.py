"""Which rows are learned from, chosen by, and judged on."""

import datetime

import numpy as np
import polars as pl
import pytest

from lamina.data import (
    Column,
    SplitPlan,
    Table,
    cast,
    folds,
    make_split,
    named_parts,
    read,
    split_fingerprint,
    understand,
)
from lamina.ground.errors import DataError, PlanError

CHANCE = np.random.default_rng(0)
ROWS = 400


class Pictures:
    def open(self, reference):
        return b""

    def fingerprint(self, reference):
        return reference


def table(**cells):
    made = Table(pl.DataFrame(cells), {"photo": Pictures()} if "photo" in cells else {})
    roles = {"patient": {"role": "group"}, "sold": {"role": "time"}}
    columns = understand(made, ["y"], {name: said for name, said in roles.items() if name in cells})
    return cast(made, columns)[0], columns


CLASSES = ["common", "rare", "common", "common", "common"] * (ROWS // 5)
DAYS = [datetime.datetime(2020, 1, 1) + datetime.timedelta(days=int(day)) for day in CHANCE.integers(0, 99, ROWS)]
HOURS = [datetime.datetime(2020, 1, 1) + datetime.timedelta(hours=hour // 2) for hour in range(ROWS)]
NUMBERS = CHANCE.normal(size=ROWS)
FILM = [f"film/center_2018_07_16_17_{n // 300:02}_{n // 5 % 60:02}_{n % 5 * 2}00.jpg" for n in range(ROWS)]
TRACKS = [f"{name}/{n // 5:05}_{n % 5:05}.ppm" for name in ("stop", "yield") for n in range(ROWS // 2)]
SIGNS = ["stop"] * (ROWS // 2) + ["yield"] * (ROWS // 2)

CASES = {
    "classes": ({"y": CLASSES, "x": NUMBERS}, "stratified"),
    "amounts": ({"y": NUMBERS, "x": NUMBERS[::-1]}, "stratified"),
    "text": ({"y": [f"a sentence of several words {n}" for n in range(ROWS)], "x": NUMBERS}, "random"),
    "groups": ({"y": CLASSES, "patient": [f"p{n}" for n in CHANCE.integers(0, 60, ROWS)]}, "group"),
    "few groups": ({"y": CLASSES, "patient": ["a", "b", "c", "c"] * (ROWS // 4)}, "group"),
    "time": ({"y": NUMBERS, "sold": DAYS}, "time"),
    "hours": ({"y": NUMBERS, "when": HOURS}, "time"),
    "film": ({"y": NUMBERS, "photo": FILM}, "time"),
    "tracks": ({"y": SIGNS, "photo": TRACKS}, "group"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_split_covers_all_rows_once_and_follows_its_seed(name, seed):
    cells, how = CASES[name]
    made, columns = table(**cells)
    split = make_split(made, columns, ["y"], seed=seed)
    assert split.how == how and split.reason
    together = np.concatenate([split.train, split.valid, split.test])
    np.testing.assert_array_equal(np.sort(together), np.arange(ROWS))
    for rows in (split.train, split.valid, split.test):
        assert rows.dtype == np.int64 and (np.diff(rows) > 0).all() and len(rows)
    assert len(split.train) >= 0.4 * ROWS
    assert split_fingerprint(split) == split_fingerprint(make_split(made, columns, ["y"], seed=seed))
    if how != "time" or "blocks" in split.reason:
        assert name == "few groups" or split_fingerprint(split) != split_fingerprint(
            make_split(made, columns, ["y"], seed=7)
        )


@pytest.mark.parametrize("name", CASES)
def test_folds_test_every_row_once_and_keep_the_manner(name):
    cells, how = CASES[name]
    made, columns = table(**cells)
    if name == "few groups":
        with pytest.raises(DataError, match="too few, or too much alike, for 5 folds"):
            folds(made, columns, ["y"])
        return
    splits = folds(made, columns, ["y"])
    assert len(splits) == 5 and {split.how for split in splits} == {how}
    tested = np.concatenate([split.test for split in splits])
    assert len(np.unique(tested)) == len(tested)
    for split in splits:
        assert not np.intersect1d(split.train, np.concatenate([split.valid, split.test])).size
        assert not np.intersect1d(split.valid, split.test).size
    if name == "time":
        times = made.frame["sold"].to_numpy()
        assert all(times[split.train].max() <= times[split.valid].min() for split in splits)
        assert all(times[split.valid].max() < times[split.test].min() for split in splits)
    else:
        np.testing.assert_array_equal(np.sort(tested), np.arange(ROWS))
    if how == "group":
        assert not any(shared(made, split.train, split.test) for split in splits)


def shared(made, one, other):
    """Groups or tracks with rows among both."""
    if "patient" in made.columns:
        names = made.frame["patient"]
    else:
        names = made.frame["photo"].str.head(-10)
    return set(names[one]) & set(names[other])


@pytest.mark.parametrize("name", ["groups", "few groups", "tracks"])
@pytest.mark.parametrize("seed", range(5))
def test_groups_are_never_cut_apart(name, seed):
    made, columns = table(**CASES[name][0])
    split = make_split(made, columns, ["y"], seed=seed)
    assert not shared(made, split.train, split.valid) and not shared(made, split.train, split.test)
    assert not shared(made, split.valid, split.test)


def test_classes_keep_their_share_and_every_class_is_learned():
    made, columns = table(y=[*CLASSES[:-2], "once", "once"], x=NUMBERS)
    split = make_split(made, columns, ["y"])
    cells = made.frame["y"].to_numpy()
    for rows in (split.valid, split.test):
        assert abs((cells[rows] == "rare").mean() - 0.2) < 0.03
    assert set(cells[split.train]) == {"common", "rare", "once"}


def test_amounts_are_spread_over_their_range():
    made, columns = table(y=NUMBERS, x=NUMBERS[::-1])
    split = make_split(made, columns, ["y"])
    assert abs(np.median(NUMBERS[split.test]) - np.median(NUMBERS)) < 0.1


def test_the_latest_rows_are_held_out_and_days_stay_whole():
    made, columns = table(y=NUMBERS, sold=DAYS)
    split = make_split(made, columns, ["y"])
    times = made.frame["sold"].to_numpy()
    assert times[split.train].max() < times[split.valid].min() and times[split.valid].max() < times[split.test].min()


def test_rows_without_a_time_are_learned_from():
    made, columns = table(y=NUMBERS, sold=[None, *DAYS[1:]])
    split = make_split(made, columns, ["y"])
    assert 0 in split.train and "1 rows without a time" in split.reason


def test_a_film_is_held_out_in_a_few_blocks():
    made, columns = table(y=NUMBERS, photo=FILM)
    split = make_split(made, columns, ["y"])
    assert "blocks of time" in split.reason
    assert (np.diff(split.test) > 1).sum() < 10
    ends = np.histogram(split.test, bins=4, range=(0, ROWS))[0]
    assert (ends > 0).all(), "blocks lie all over the range"


def test_each_fold_of_a_film_is_tested_in_blocks_all_over_its_range():
    made, columns = table(y=NUMBERS, photo=FILM)
    for split in folds(made, columns, ["y"]):
        assert (np.diff(split.test) > 1).sum() < 10
        ends = np.histogram(split.test, bins=3, range=(0, ROWS))[0]
        assert (ends > 0).all(), "no fold learns from one part of the time to answer for another"


@pytest.mark.parametrize(
    "names, classes",
    [
        ([f"{n}.jpg" for n in range(ROWS)], CLASSES),
        ([f"img_{n:04}.jpg" for n in range(ROWS)], CLASSES),
        ([f"{n % 10}_{n // 10:03}.png" for n in range(ROWS)], [f"digit {n % 10}" for n in range(ROWS)]),
        (
            [f"IMG_{20180101 + n % 28}_{n * 7919 % 240000:06}.jpg" for n in range(ROWS)],
            [f"k{n % 28}" for n in range(ROWS)],
        ),
        ([f"{n}_front.jpg" for n in range(ROWS)], CLASSES),
    ],
)
def test_other_names_of_pictures_say_nothing(names, classes):
    made, columns = table(y=classes, photo=names)
    assert make_split(made, columns, ["y"]).how == "stratified"


@pytest.mark.parametrize(
    "named, sizes, words",
    [
        ({"test": 80}, (None, None, 80), "names train and test; valid cut from train"),
        ({"valid": 60}, (None, 60, None), "names train and valid; test cut from train"),
        ({"valid": 60, "test": 80}, (260, 60, 80), "names train and valid and test"),
    ],
)
def test_parts_that_the_data_names_are_kept(named, sizes, words):
    made, columns = table(y=CLASSES, x=NUMBERS)
    parts = np.full(ROWS, "train", dtype="<U5")
    start = 0
    for part, count in named.items():
        parts[start : start + count] = part
        start += count
    split = make_split(Table(made.frame, parts=parts), columns, ["y"])
    assert split.how == "given" and words in split.reason
    for part, size in zip((split.train, split.valid, split.test), sizes, strict=True):
        assert size is None or len(part) == size
    for part, rows in (("valid", split.valid), ("test", split.test)):
        if part in named:
            assert set(parts[rows]) == {part}
    assert set(parts[split.train]) == {"train"}
    for fold in folds(Table(made.frame, parts=parts), columns, ["y"]):
        assert "test" not in set(parts[fold.test])


def test_a_column_may_name_the_parts():
    words = ["Train", "val", "TEST ", "training"] * 100
    made = named_parts(Table(pl.DataFrame({"y": CLASSES, "part": words})), "part")
    assert made.columns == ["y"] and list(made.parts[:4]) == ["train", "valid", "test", "train"]
    with pytest.raises(PlanError, match=r"--split prt: there is no such column. Did you mean 'part'"):
        named_parts(Table(pl.DataFrame({"part": words})), "prt")
    with pytest.raises(PlanError, match="row 2 says 'later', and 1 of 3 cells"):
        named_parts(Table(pl.DataFrame({"part": ["train", "test", "later"]})), "part")
    with pytest.raises(PlanError, match="no row is for training"):
        named_parts(Table(pl.DataFrame({"part": ["valid", "test"]})), "part")


@pytest.mark.parametrize(
    "rows, settings, held",
    [
        (1_000, SplitPlan(), (200, 200)),
        (5_000, SplitPlan(), (500, 750)),
        (50_000, SplitPlan(), (5_000, 5_000)),
        (400_000, SplitPlan(), (20_000, 20_000)),
        (1_000, SplitPlan(valid=0.3, test=0), (300, 0)),
        (1_000, SplitPlan(valid=0.05, test=0.5), (50, 500)),
    ],
)
def test_how_many_rows_are_held_out(rows, settings, held):
    made = Table(pl.DataFrame({"y": np.arange(rows, dtype=np.float64)}))
    split = make_split(made, {"y": Column(name="y", kind="number", role="target")}, ["y"], settings)
    assert (len(split.valid), len(split.test)) == held


@pytest.mark.parametrize("share", [0, -0.1, 0.6, float("nan")])
def test_shares_out_of_bounds(share):
    with pytest.raises(PlanError, match=r"split.valid: .* does not do. Give a share of the rows, at most 0.5"):
        SplitPlan(valid=share)


@pytest.mark.parametrize(
    "by, cells, message",
    [
        ("random", {"y": CLASSES, "patient": CLASSES[::-1]}, None),
        ("stratified", {"y": CLASSES, "x": NUMBERS}, None),
        (
            "stratified",
            {"y": [f"a sentence of several words {n}" for n in range(ROWS)]},
            "needs a number or a category",
        ),
        ("group", {"y": CLASSES, "x": NUMBERS}, "columns.NAME.role=group"),
        ("time", {"y": CLASSES, "x": NUMBERS}, "columns.NAME.role=time"),
        ("given", {"y": CLASSES, "x": NUMBERS}, "--split COLUMN"),
    ],
)
def test_a_manner_that_is_asked_for(by, cells, message):
    made, columns = table(**cells)
    if message:
        with pytest.raises(PlanError, match=message):
            make_split(made, columns, ["y"], SplitPlan(by=by))
    else:
        assert make_split(made, columns, ["y"], SplitPlan(by=by)).how == by


@pytest.mark.parametrize(
    "answers, message",
    [
        ([None] * 40, "none of its 40 cells holds a value"),
        (["a"] * 40, "all 40 answers are 'a'"),
        (["a", "b"] * 4 + [None] * 32, "has 8 rows with an answer in 'y'; at least 10"),
        (["a", "b"] * 15 + [None] * 10, None),
    ],
)
def test_rows_without_an_answer(answers, message):
    made = Table(pl.DataFrame({"y": pl.Series(answers, dtype=pl.String)}))
    columns = {"y": Column(name="y", kind="category", role="target")}
    if message:
        with pytest.raises(DataError, match=message):
            make_split(made, columns, ["y"])
        return
    split = make_split(made, columns, ["y"])
    assert np.concatenate([split.train, split.valid, split.test]).max() == 29


def test_two_groups_are_too_few():
    made, columns = table(y=CLASSES, patient=["a", "b"] * (ROWS // 2))
    with pytest.raises(DataError, match="Column 'patient' holds 2 groups; at least 3"):
        make_split(made, columns, ["y"])


def test_traffic_signs_are_divided_by_track_and_driving_by_time(data_folder):
    for name, target, words in (("traffic_signs", "class", "whole tracks"), ("driving", "steering", "blocks of time")):
        raw = read(data_folder / name)
        columns = understand(raw, [target])
        made = cast(raw, columns)[0]
        split = make_split(made, columns, [target])
        assert split.how == "given" and words in split.reason
        if name == "traffic_signs":
            tracks = made.frame["image"].str.head(-10)
            assert not set(tracks[split.train]) & set(tracks[split.valid])
