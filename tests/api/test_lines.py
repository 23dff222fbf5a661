import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small import houses

from lamina.api.lines import data_lines, evaluation_json, evaluation_lines, result_lines
from lamina.api.request import read_request
from lamina.data import read
from lamina.network import Plan, plan_from_plain
from lamina.run import study

EVALUATION: dict[str, Any] = {
    "rows": 40,
    "on": "40 rows never seen",
    "decides": "price.rmse",
    "metrics": {"price": {"rmse": {"value": 2.0, "low": 1.5, "high": 2.5}, "mae": {"value": 1.0, "low": 1, "high": 1}}},
    "baselines": {"always the mean": {"price": {"rmse": {"value": 4.0, "low": 3.5, "high": 4.5}}}},
    "verdict": "The network is better.",
    "notes": ["boosted trees: from a tenth of the rows"],
}


def plan(output: dict[str, Any], **training: Any) -> Plan:
    """A plan of one output, with nothing else that matters here."""
    return plan_from_plain({
        "predict": ["price"], "inputs": {"numbers": {"kind": "number", "columns": ["area"]}},
        "hidden": {"name": "mlp"}, "outputs": {"price": output}, "training": training,
    })  # fmt: skip


def lines(frame: pl.DataFrame, **settings: Any) -> list[tuple[str, str]]:
    asked = read_request([frame], [], "price", None, settings, None, None, None)
    return data_lines(study(read(frame), asked.predict, asked.given, 0))


def test_data_is_told_in_rows_kinds_and_parts() -> None:
    first, second, *_ = (text for _, text in lines(houses()))
    assert "120 rows, 5 columns; predict price (number)" in first
    assert second.startswith("from 2 numbers, 2 categories; split")


def test_cells_that_are_no_answer_are_named_with_their_place() -> None:
    prices = houses()["price"].cast(pl.String).to_list()
    prices[7] = "12 euros"
    told = lines(houses().with_columns(pl.Series("price", prices)))
    assert ("warning", "data, row 8, column 'price': '12 euros' is not a number: the row is left out") in told


def test_words_that_count_as_gaps_are_named() -> None:
    areas = houses()["area"].cast(pl.String).to_list()
    areas[3] = "inf"
    assert ("note", "column 'area': 'inf' counts as a gap") in lines(houses().with_columns(pl.Series("area", areas)))


def test_columns_set_aside_carry_their_reason() -> None:
    told = dict(lines(houses().with_columns(pl.lit(None, pl.String).alias("hole"))))
    assert told["set aside"] == "hole (no cell holds a value)"


def test_a_result_ends_with_where_it_lies_and_what_to_do_next() -> None:
    told = result_lines(EVALUATION, plan({"kind": "number", "column": "price"}), Path("runs/houses"))
    assert told[0] == ("result", "price: RMSE 2.00 (1.50 to 2.50) on 40 rows never seen")
    assert ("", "always the mean RMSE 4.00 (3.50 to 4.50)") in told
    assert ("", "The network is better.") in told
    assert told[-1] == ("next", "lamina predict runs/houses NEW_DATA")


@pytest.mark.parametrize("output, training, use", [
    ({"kind": "category", "column": "price"}, {}, "NEW_DATA"),
    ({"kind": "next", "column": "price"}, {}, '--prompt "..."'),
    ({"kind": "row", "column": "price", "numbers": ["price"]}, {"objective": "adversarial"},
     "--count 1000 --out made.csv"),
    ({"kind": "image", "column": "price"}, {"objective": "adversarial"}, "--count 64 --out made.png"),
    ({"kind": "photo", "column": "price"}, {}, "photo.jpg --out large.png"),
])  # fmt: skip
def test_what_to_do_next_goes_by_the_task(output: dict[str, Any], training: dict[str, Any], use: str) -> None:
    told = result_lines(EVALUATION, plan(output, **training), Path("runs/houses"))
    assert told[-1] == ("next", f"lamina predict runs/houses {use}")


def test_every_figure_stands_beside_those_of_simpler_ways() -> None:
    head, column, rmse, mae, verdict, note = evaluation_lines(EVALUATION)
    assert [verdict, note] == [EVALUATION["verdict"], *EVALUATION["notes"]]
    assert (head, column) == ("40 rows; price.rmse decides", "price")
    assert rmse.split() == [
        "rmse",
        "2.00",
        "(1.50",
        "to",
        "2.50)",
        "always",
        "the",
        "mean",
        "4.00",
        "(3.50",
        "to",
        "4.50)",
    ]
    assert "always" not in mae


def test_json_keeps_every_letter() -> None:
    text = evaluation_json({"metrics": {"größe": 1}})
    assert "größe" in text
    assert json.loads(text) == {"metrics": {"größe": 1}}
