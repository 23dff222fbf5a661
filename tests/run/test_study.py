from typing import Any

import numpy as np
import pytest
from mixed_rows import mixed, scenery

from lamina.data import read
from lamina.ground import PlanError
from lamina.run import FOLDS_BELOW, study, typical_side

DATA = {name: cells for name, cells in mixed(120, pictures=False).items() if name != "part"}


def test_what_is_asked_for_is_what_is_predicted() -> None:
    seen = study(read([DATA]), ("price",), {}, 0)
    assert seen.targets == ("price",)
    assert seen.columns["price"].role == "target"
    assert seen.columns["sort"].role == "input"


@pytest.mark.parametrize(
    "given, by_folds", [({}, True), ({"split": {"test": 0.2}}, False), ({"split": {"test": 0.0}}, False)]
)
def test_few_rows_are_judged_by_folds_unless_a_test_is_asked_for(given: dict[str, Any], by_folds: bool) -> None:
    seen = study(read([DATA]), ("sort",), given, 0)
    assert seen.by_folds == by_folds
    assert (len(seen.split.test) > 0) == (given.get("split", {}).get("test", 0) > 0)


def test_many_rows_pictures_and_named_tests_are_not_judged_by_folds() -> None:
    random = np.random.default_rng(0)
    many = {"a": random.normal(size=FOLDS_BELOW), "y": random.normal(size=FOLDS_BELOW)}
    assert not study(read([many]), ("y",), {}, 0).by_folds
    assert not study(read([mixed(80)]), ("sort",), {}, 0).by_folds
    assert not scenery(mixed(80, pictures=False), ("sort",)).seen.by_folds


def test_rows_without_an_answer_are_left_out_and_counted() -> None:
    gappy = DATA | {"price": np.where(np.arange(120) < 7, np.nan, DATA["price"])}
    seen = study(read([gappy]), ("price",), {}, 0)
    used = np.concatenate([seen.split.train, seen.split.valid, seen.split.test])
    assert len(used) == 113 and used.min() == 7
    assert sum("7 of 120 rows have no 'price'" in finding.text for finding in seen.findings) == 1


@pytest.mark.parametrize(
    "predict, given, words",
    [
        (("prize",), {}, ["'prize'", "Did you mean 'price'?", "area"]),
        (("price",), {"split": {"by": "tim"}}, ["split.by", "'tim'", "Did you mean 'time'?"]),
        (("price",), {"split": {"by": "place"}}, ["place", "train, valid and test"]),
        (("price",), {"split": {"vald": 0.1}}, ["split", "'vald'", "Did you mean 'valid'?"]),
        (("price",), {"columns": {"area": "number"}}, ["columns.area", "'number'", "kind: category"]),
        (("price",), {"columns": "area"}, ["columns", "'area'"]),
        (("price",), {"columns": {"arae": {"kind": "number"}}}, ["'arae'", "Did you mean 'area'?"]),
    ],
)
def test_what_does_not_fit_the_data_is_named(predict: tuple[str, ...], given: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        study(read([DATA]), predict, given, 0)
    for word in words:
        assert word in str(caught.value)


def test_the_typical_side_is_that_of_the_rows_asked_about_and_gaps_are_passed_over() -> None:
    data = mixed(40)
    seen = study(read([data]), ("sort",), {"split": {"by": "part"}}, 0)
    assert typical_side(seen.table, seen.columns, seen.split.train, 0) == 8
    gaps = seen.table.with_frame(
        seen.table.frame.with_columns(photo=seen.table.frame["photo"].scatter(range(0, 40, 2), None))
    )
    assert typical_side(gaps, seen.columns, seen.split.train, 0) == 8
    plain = study(read([DATA]), ("sort",), {}, 0)
    assert typical_side(plain.table, plain.columns, plain.split.train, 0) is None
