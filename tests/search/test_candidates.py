"""Pictures beside columns of a table: kept where they carry news, left out where they only distract."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from run.mixed_rows import Scenery, scenery, wishes

from lamina.search import Candidates, Chosen, fit_candidates

ROWS = 240
GIVEN: dict[str, Any] = {"hidden": {"width": 16}, "training": {"steps": 60, "judge_every": 20}}


def rows(telling: str) -> dict[str, Any]:
    """Bright or dark pictures, and a column; one of the two says what the answer is, the other is noise."""
    random = np.random.default_rng(0)
    bright, column = random.integers(0, 2, ROWS), random.normal(size=ROWS)
    picture = random.integers(0, 156, (ROWS, 8, 8)) + 100 * bright[:, None, None]
    decides = bright == 1 if telling == "picture" else column > 0
    return {
        "photo": picture.astype(np.uint8),
        "column": column,
        "y": np.where(decides, "yes", "no").tolist(),
        "part": [("train", "train", "train", "valid", "test")[row // 2 % 5] for row in range(ROWS)],
    }


def both(telling: str) -> tuple[Scenery, Scenery]:
    data = rows(telling)
    return scenery(data, ("y",), **GIVEN), scenery(
        {name: data[name] for name in data if name != "photo"}, ("y",), **GIVEN
    )


def candidates(telling: str) -> Candidates:
    whole, plain = both(telling)
    return Candidates(whole.prepared, plain.prepared, "pictures", 0.25)


@pytest.fixture(scope="module", params=["picture", "column"])
def chosen(request: pytest.FixtureRequest) -> tuple[str, Chosen]:
    return request.param, fit_candidates(candidates(request.param), wishes())


def test_the_candidate_that_sees_what_matters_is_kept(chosen: tuple[str, Chosen]) -> None:
    telling, kept = chosen
    has_pictures = "photo" in kept.prepared.plan.inputs
    assert has_pictures == (telling == "picture")
    assert kept.fitted.trained.plan.inputs.keys() == kept.prepared.plan.inputs.keys()
    assert kept.reason is not None
    assert kept.reason.startswith("kept" if has_pictures else "left out")
    assert f"{kept.fitted.figure:.4g}" in kept.reason


def test_without_another_candidate_there_is_nothing_to_say() -> None:
    whole, _ = both("picture")
    assert fit_candidates(Candidates(whole.prepared), wishes()).reason is None


def test_a_training_that_is_taken_up_again_keeps_the_same_candidate(tmp_path: Path) -> None:
    told: dict[str, Any] = {}

    def decided(decisions: Mapping[str, Any]) -> None:
        told.update(decisions)

    first = fit_candidates(candidates("column"), wishes(checkpoint=tmp_path / "c", decided=decided))
    assert told["plain"]["steps"] == 60
    again = fit_candidates(candidates("column"), wishes(checkpoint=tmp_path / "c", decisions=dict(told)))
    assert again.reason == first.reason
    one, other = (each.fitted.trained.network.state_dict() for each in (first, again))
    assert all(torch.equal(one[name], other[name]) for name in one)
