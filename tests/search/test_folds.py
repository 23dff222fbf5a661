from typing import Any

import numpy as np
import pytest
from run.mixed_rows import Scenery, mixed, scenery, wishes

from lamina.run import fit_plan
from lamina.search import judge_by_folds

ROWS = 100


def judged(scene: Scenery) -> tuple[dict[str, Any], list[tuple[str, int, int]]]:
    told: list[tuple[str, int, int]] = []
    fitted = fit_plan(scene.prepared, wishes())
    found = judge_by_folds(scene.seen, fitted, wishes(), 1.0, lambda *news: told.append(news))
    return found, told


def small(**cells: Any) -> dict[str, Any]:
    data = {name: mixed(ROWS, pictures=False)[name] for name in ("area", "age", "place", "price", "sort")}
    return data | cells


@pytest.mark.parametrize("target", ["price", "sort"])
def test_every_row_is_judged_once_and_simpler_ways_on_the_same_rows(target: str) -> None:
    data = {name: cells for name, cells in small().items() if name in ("area", "age", "place", target)}
    found, told = judged(scenery(data, (target,)))
    assert found["rows"] == ROWS
    assert "100 rows" in found["on"] and "five folds" in found["on"]
    assert {"linear model", "boosted trees"} < found["baselines"].keys()
    assert all(target in figures for figures in found["baselines"].values())
    assert told[0] == ("fold", 0, 5) and told[-1] == ("fold", 5, 5)
    assert found["verdict"]
    if target == "sort":
        counts = np.array(found["confusion"]["sort"]["counts"])
        assert counts.sum() == ROWS
        assert counts.sum(1).tolist() == [50, 50], "the truth of each row, once"


def test_rows_of_a_class_that_a_fold_could_not_learn_are_judged_all_the_same() -> None:
    """A class of five rows is missing where all of its rows are tested or chosen by; nothing is left out for that."""
    data = small()
    rare = [row % 20 == 7 for row in range(ROWS)]
    data["sort"] = ["odd" if odd else sort for odd, sort in zip(rare, data["sort"], strict=True)]
    data["team"] = [f"t{9 if odd else row % 9}" for row, odd in enumerate(rare)]  # all odd rows in one group
    del data["price"]
    made = scenery(data, ("sort",), columns={"team": {"role": "group"}})
    facts = made.prepared.facts["outputs.sort"]
    assert "odd" in facts["classes"]  # type: ignore[operator]
    found, _ = judged(made)
    counts = np.array(found["confusion"]["sort"]["counts"])
    assert found["rows"] == ROWS == counts.sum()
    place = found["confusion"]["sort"]["classes"].index("odd")
    assert counts[place].sum() == 5 and counts[place, place] == 0, "none can be right: no fold had seen the class"


def test_labels_that_a_fold_could_not_learn_have_no_chance_there() -> None:
    data = small(tags=[";".join(["a", "b"][: 1 + row % 2] + ["rare"] * (row % 20 == 7)) for row in range(ROWS)])
    data["team"] = [f"t{9 if row % 20 == 7 else row % 9}" for row in range(ROWS)]
    for name in ("price", "sort"):
        del data[name]
    made = scenery(data, ("tags",), columns={"team": {"role": "group"}}, outputs={"tags": {"kind": "labels"}})
    assert made.prepared.facts["outputs.tags"]["labels"] == ["a", "b", "rare"]
    found, _ = judged(made)
    assert found["rows"] == ROWS
