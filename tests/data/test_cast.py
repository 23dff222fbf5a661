"""Cells in their typed form."""

import datetime

import polars as pl
import pytest

from lamina.data import Column, Origin, Table, cast, understand
from lamina.data.cast import MOST_LISTED
from lamina.ground.errors import DataError


def test_every_kind_has_its_type_and_gaps_are_null():
    table = Table(
        pl.DataFrame(
            {
                "number": ["1,5", "2,25", "?", ""] * 9 + ["3,5", "4", "5", "6"],
                "code": ["007", "008", "009", "008"] * 10,
                "day": ["31.12.2020", "01.02.2021", "03.04.2021", "n/a"] * 10,
                "remark": [f"a remark of some words {n}" for n in range(39)] + [" "],
                "same": ["x"] * 40,
            }
        )
    )
    typed, problems = cast(table, understand(table, None))
    assert problems == []
    assert typed.frame.schema == {
        "number": pl.Float64(), "code": pl.String(), "day": pl.Datetime("us"), "remark": pl.String(),
    }  # fmt: skip
    assert typed.frame["number"][:4].to_list() == [1.5, 2.25, None, None]
    assert typed.frame["code"][0] == "007"
    assert typed.frame["day"][:4].to_list()[1:] == [datetime.datetime(2021, 2, 1), datetime.datetime(2021, 4, 3), None]
    assert typed.frame["remark"][39] is None


@pytest.mark.parametrize(
    "cells, expected",
    [
        (pl.Series([1.0, 2.0, None]), ["1", "2", None]),
        (pl.Series([1, 2, None]), ["1", "2", None]),
        (pl.Series(["1.0", " 2 ", "?"]), ["1", "2", "?"]),
        (pl.Series([True, False, None]), ["true", "false", None]),
        (pl.Series([1.5, 2.0, None]), ["1.5", "2", None]),
        (pl.Series(["v1.0", "", "x"], dtype=pl.Categorical), ["v1.0", "", "x"]),
    ],
)
def test_categories_are_text_and_whole_numbers_have_no_point(cells, expected):
    typed, _ = cast(Table(pl.DataFrame({"x": cells})), {"x": Column(name="x", kind="category")})
    assert typed.frame["x"].to_list() == expected


NUMBER = {"age": Column(name="age", kind="number", missing=("999",))}
HUNDRED = [str(n) for n in range(100)]


@pytest.mark.parametrize("gap", ["", " ", "NA", "nan", "?", "-", "999", None])
def test_gaps_at_prediction_are_no_problems(gap):
    typed, problems = cast(Table(pl.DataFrame({"age": [*HUNDRED, gap], "more": range(101)})), NUMBER)
    assert typed.frame["age"][100] is None and problems == [] and typed.columns == ["age"]


def test_pictures_that_were_not_found_are_refused_with_what_helps():
    image = {"front": Column(name="front", kind="image")}
    table = Table(pl.DataFrame({"front": [None, "img/7.jpg", "img/8.jpg"]}), origins=(Origin("new.csv", 3, first=2),))
    with pytest.raises(DataError) as refused:
        cast(table, image, learned=True)
    assert str(refused.value).startswith(
        "Column 'front' holds pictures, but none of them was found (first: new.csv, line 3, 'img/7.jpg'). Give the "
        "folder or archive that holds them as well, after new.csv"
    )
    nothing, _ = cast(Table(pl.DataFrame({"front": pl.Series([None, None], dtype=pl.String)})), image, learned=True)
    assert nothing.frame["front"].null_count() == 2, "a row may lack its picture"


def test_a_long_cell_is_shown_shortened():
    letter = "Dear all, " * 50
    _, problems = cast(Table(pl.DataFrame({"age": [*HUNDRED, letter]})), NUMBER)
    assert problems[0].cell == f"{letter[:79]}…"
    with pytest.raises(DataError, match="…'[)]. Declare a kind: --set columns.age.kind=text") as refused:
        cast(Table(pl.DataFrame({"age": [letter, "1"]})), NUMBER)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "12b", "1e999"])
def test_single_unusable_cells_are_listed_and_become_gaps(cell):
    typed, problems = cast(Table(pl.DataFrame({"age": [*HUNDRED, cell]})), NUMBER)
    assert typed.frame["age"][100] is None
    assert [(p.row, p.column, p.cell, p.reason, p.total) for p in problems] == [(100, "age", cell, "not a number", 1)]


def test_the_list_is_bounded_and_the_count_is_not():
    _, problems = cast(Table(pl.DataFrame({"age": HUNDRED * 20 + ["old"] * 50})), NUMBER)
    assert len(problems) == MOST_LISTED and problems[0].total == 50


def test_a_column_of_the_wrong_kind_stops_with_the_way_to_mend_it():
    table = Table(pl.DataFrame({"age": [*HUNDRED[:90], *["old"] * 10]}), origins=(Origin("people.csv", 100, 2),))
    with pytest.raises(DataError) as raised:
        cast(table, NUMBER)
    assert str(raised.value) == (
        "Column 'age' is a number, but 10 of 100 cells are not (first: people.csv, line 92, 'old'; "
        "people.csv, line 93, 'old'; people.csv, line 94, 'old'; people.csv, line 95, 'old'; people.csv, line 96, "
        "'old'). Mark them as gaps: --set 'columns.age.missing=[\"old\"]', or declare a kind: "
        "--set columns.age.kind=category, or take them for gaps: --set checks.unusable=0.1"
    )
    cast(table, NUMBER, unusable=0.1)


@pytest.mark.parametrize(
    "columns, message",
    [
        ({"Age": Column(name="Age", kind="number")}, "no column 'Age'.*Did you mean 'age'"),
        (
            {"age": Column(name="age", kind="moment", format="%d.%m.%Y")},
            r"is a moment written %d.%m.%Y, but 100 of 100",
        ),
        ({"none": Column(name="none", kind="number", role="ignore")}, None),
    ],
)
def test_columns_that_are_not_there_or_not_that(columns, message):
    table = Table(pl.DataFrame({"age": HUNDRED}))
    if message is None:
        assert len(cast(table, columns)[0]) == 100
        return
    with pytest.raises(DataError, match=message):
        cast(table, columns)


def test_units_and_typed_moments_survive_a_change_of_file():
    percent = {"x": Column(name="x", kind="number", unit="%")}
    assert cast(Table(pl.DataFrame({"x": ["5 %", "7"]})), percent)[0].frame["x"].to_list() == [5, 7]
    moment = {"x": Column(name="x", kind="moment")}
    for cells in (["2020-01-02"], [datetime.date(2020, 1, 2)], ["2020-01-02T00:00:00Z"], ["2020-01-02 00:00:00"]):
        typed, _ = cast(Table(pl.DataFrame({"x": cells})), moment)
        assert typed.frame["x"].to_list() == [datetime.datetime(2020, 1, 2)]
    zoned = pl.Series([datetime.datetime(2020, 1, 2)]).dt.replace_time_zone("Europe/Berlin")
    assert cast(Table(pl.DataFrame({"x": zoned})), moment)[0].frame["x"][0] == datetime.datetime(2020, 1, 1, 23)


def test_typed_infinities_are_listed():
    typed, problems = cast(Table(pl.DataFrame({"age": [*map(float, range(99)), float("inf")]})), NUMBER)
    assert typed.frame["age"][99] is None and problems[0].cell == "inf"
