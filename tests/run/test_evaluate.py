import json
from typing import Any

import numpy as np
import pytest
from mixed_rows import Scenery, mixed, scenery, wishes

from lamina.ground import DataError
from lamina.run import (
    Fitted,
    evaluate_fitted,
    figures,
    fit_plan,
    fit_rivals,
    gather,
    known_answers,
    plain_evaluation,
    raw_scores,
    together,
)


@pytest.fixture(scope="module")
def fitted() -> tuple[Scenery, Fitted]:
    scene = scenery(mixed(120, pictures=False), ("price", "sort"))
    return scene, fit_plan(scene.prepared, wishes())


@pytest.fixture(scope="module")
def evaluation(fitted: tuple[Scenery, Fitted]) -> dict[str, Any]:
    scene, found = fitted
    return evaluate_fitted(scene.prepared, found, fit_rivals(scene.prepared, 1.0), lambda row: f"line {row}")


def test_cells_and_stored_rows_are_answered_alike(fitted: tuple[Scenery, Fitted]) -> None:
    scene, found = fitted
    rows = scene.prepared.split.test[::-1].copy()
    stored = found.trained.decode(
        raw_scores(found.trained.network, scene.prepared.collate(), rows), scene.prepared.table.frame[rows]
    )
    fresh = gather(found.trained, scene.seen.table, rows)
    for name in ("price", "sort"):
        np.testing.assert_allclose(fresh[name].scores, stored[name].scores, rtol=1e-5)


def test_pieces_of_answers_are_put_end_to_end(fitted: tuple[Scenery, Fitted]) -> None:
    scene, found = fitted
    rows = scene.prepared.split.test
    pieces = [gather(found.trained, scene.seen.table, some)["sort"] for some in np.array_split(rows, 3)]
    whole = gather(found.trained, scene.seen.table, rows)["sort"]
    np.testing.assert_allclose(together(pieces).scores, whole.scores, rtol=1e-5)
    assert together(pieces).columns["sort"].tolist() == whole.columns["sort"].tolist()


def test_rows_without_a_usable_answer_are_not_judged(fitted: tuple[Scenery, Fitted]) -> None:
    scene, found = fitted
    frame = scene.seen.table.frame
    price = frame["price"].scatter([3, 5], None)
    sort = frame["sort"].scatter(7, "never heard of")
    table = scene.seen.table.with_frame(frame.with_columns(price=price, sort=sort))
    rows, truths = known_answers(found.trained, table, np.array([9, 7, 5, 4, 3, 2]))
    assert rows.tolist() == [9, 4, 2]
    assert truths["price"].tolist() == [price[row] for row in (9, 4, 2)]
    with pytest.raises(DataError, match=r"No row can be judged.*price is a gap"):
        known_answers(found.trained, table, np.array([3, 5]))
    with pytest.raises(DataError, match="No row can be judged"):
        known_answers(found.trained, table, np.array([], dtype=np.int64))


def test_every_figure_lies_in_its_interval(fitted: tuple[Scenery, Fitted]) -> None:
    scene, found = fitted
    rows, truths = known_answers(found.trained, scene.seen.table, scene.prepared.split.test)
    for name, answers in gather(found.trained, scene.seen.table, rows).items():
        measured = figures(found.trained.network.outputs[name], answers.scores, truths[name], 0)
        assert found.trained.network.outputs[name].decides in measured
        assert all(each["low"] <= each["value"] <= each["high"] for each in measured.values())
        assert measured == figures(found.trained.network.outputs[name], answers.scores, truths[name], 0)


def test_the_network_and_simpler_ways_are_judged_on_test_rows(
    fitted: tuple[Scenery, Fitted], evaluation: dict[str, Any]
) -> None:
    rows = len(fitted[0].prepared.split.test)
    assert evaluation["rows"] == rows
    assert evaluation["on"] == f"{rows} rows never seen"
    assert evaluation["decides"] == "skill"
    assert evaluation["deciding"] == {"price": "rmse", "sort": "accuracy"}
    assert {"linear model", "boosted trees"} < evaluation["baselines"].keys()
    assert evaluation["verdict"].startswith("price: ") and " sort: " in evaluation["verdict"]
    assert evaluation["worst"]["price"][0]["where"].startswith("line ")
    assert evaluation["timing"]["rows_per_second"] > 0
    json.dumps(evaluation, allow_nan=False)


def test_what_is_printed_as_json_has_the_promised_form(evaluation: dict[str, Any]) -> None:
    plain = plain_evaluation(evaluation)
    assert list(plain) == ["rows", "decides", "metrics", "baselines", "verdict", "notes"]
    assert plain["metrics"]["price"]["rmse"].keys() == {"value", "low", "high"}


def test_without_test_rows_validation_rows_serve_and_that_is_said() -> None:
    data = mixed(120, pictures=False)
    data["part"] = ["train" if part == "test" else part for part in data["part"]]
    made = scenery(data, ("sort",), split={"test": 0.0})
    found = fit_plan(made.prepared, wishes())
    evaluation = evaluate_fitted(made.prepared, found, fit_rivals(made.prepared, 1.0), str)
    assert evaluation["rows"] == len(made.prepared.split.valid)
    assert "this flatters" in evaluation["on"]
