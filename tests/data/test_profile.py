"""Summaries of columns."""

import datetime
import json

import numpy as np
import polars as pl

from lamina.data import Column, Table, profile

CHANCE = np.random.default_rng(0)
NUMBERS = CHANCE.normal(size=200)
TABLE = Table(
    pl.DataFrame(
        {
            "n": [*NUMBERS, None, 1e9],
            "same": [0.1] * 202,
            "c": [*(["b"] * 120), *(["a"] * 80), None, "only held out"],
            "count": ["a", "b"] * 101,
            "t": ["one two", "three"] * 101,
            "m": [datetime.datetime(2020, 1, 1) + datetime.timedelta(days=n) for n in range(202)],
            "empty": pl.Series([None] * 202, dtype=pl.Float64),
        }
    )
)
COLUMNS = {
    name: Column(name=name, kind=kind)
    for name, kind in {
        "n": "number", "same": "number", "c": "category", "count": "category", "t": "text", "m": "moment",
        "empty": "number",
    }.items()
}  # fmt: skip


def test_a_summary_looks_at_the_rows_it_is_given_and_is_plain():
    found = profile(TABLE, COLUMNS, np.arange(201))
    assert json.loads(json.dumps(found)) == found
    n = found["n"]
    assert (n["rows"], n["gaps"], n["min"], n["max"]) == (201, 1, NUMBERS.min(), NUMBERS.max())
    np.testing.assert_allclose(n["quartiles"], np.quantile(NUMBERS, [0.25, 0.5, 0.75]))
    assert sum(n["histogram"]["counts"]) == 200 and len(n["histogram"]["edges"]) == 21
    assert found["c"]["top"] == [["b", 120], ["a", 80]] and found["c"]["distinct"] == 2
    assert found["count"]["top"] == [["a", 101], ["b", 100]]
    assert found["t"]["words"] == {"mean": (2 * 101 + 100) / 201, "p95": 2.0, "max": 2.0}
    assert (found["m"]["min"], found["m"]["max"]) == ("2020-01-01T00:00:00", "2020-07-19T00:00:00")
    assert found["empty"] == {"kind": "number", "rows": 201, "gaps": 201}
    assert found["same"]["skew"] == 0 and found["same"]["histogram"]["counts"] == [201]


def test_ignored_columns_are_passed_over():
    columns = {**COLUMNS, "gone": Column(name="gone", kind="text", role="ignore")}
    assert "gone" not in profile(TABLE, columns, np.arange(10))
