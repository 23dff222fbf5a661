import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mixed_rows import DECIDED, Scenery, mixed, scenery, wishes

from lamina.ground import DataError, Interrupted, RunError
from lamina.run import Fitted, fit_plan
from lamina.training import same_tensors

TABLE = {"training": {"steps": 12, "judge_every": 3, "checkpoint_seconds": 1e6}, "hidden": {"dropout": 0.2}}
PICTURES = {"training": {"steps": 8, "judge_every": 2, "checkpoint_seconds": 1e6}, "hidden": {"width": 8, "depth": 2}}


def table(**training: Any) -> Scenery:
    return scenery(mixed(120, pictures=False), ("price", "sort"), hidden=TABLE["hidden"],
                   training=TABLE["training"] | training)  # fmt: skip


def pictures(**training: Any) -> Scenery:
    data = mixed(100)
    only = {name: data[name] for name in ("photo", "sort", "part")}
    return scenery(only, ("sort",), hidden=PICTURES["hidden"], training=PICTURES["training"] | training)


def weights(fitted: Fitted) -> dict[str, torch.Tensor]:
    return fitted.trained.network.state_dict()


def every(count: int) -> Callable[[], int | None]:
    """Asks to stop at every so many looks: as if someone pressed Ctrl-C."""
    calls = itertools.count(1)
    return lambda: 2 if next(calls) % count == 0 else None


def interrupted_often(scene: Scenery, folder: Path, layout: str) -> tuple[Fitted, int]:
    """The training, stopped at every second step or so and begun again by a new call each time."""
    stops, again = 0, every(2)
    while True:
        try:
            return fit_plan(scene.prepared, wishes(
                decisions=DECIDED | {"layout": layout}, interrupted=again,
                checkpoint=folder / "checkpoint", history=folder / "history.jsonl",
            )), stops  # fmt: skip
        except Interrupted:
            stops += 1


@pytest.mark.parametrize(
    "made, layout, training",
    [
        (table, "contiguous", {}),
        (table, "contiguous", {"optimizer": "adamw", "average": 0.9, "accumulate": 2}),
        (pictures, "contiguous", {}),
        (pictures, "channels_last", {}),
    ],
    ids=["table", "table averaged", "pictures", "pictures channels last"],
)
def test_a_training_that_was_interrupted_ends_bit_for_bit_where_an_uninterrupted_one_does(
    tmp_path: Path, made: Callable[..., Scenery], layout: str, training: dict[str, Any]
) -> None:
    scene = made(**training)
    straight = fit_plan(scene.prepared, wishes(decisions=DECIDED | {"layout": layout}))
    resumed, stops = interrupted_often(scene, tmp_path, layout)
    assert stops >= 3
    assert same_tensors(weights(resumed), weights(straight))
    untimed = [
        [{k: v for k, v in line.items() if k != "seconds"} for line in each.history] for each in (resumed, straight)
    ]
    assert untimed[0] == untimed[1]
    assert (resumed.steps, resumed.best_step, resumed.ended) == (straight.steps, straight.best_step, straight.ended)


@pytest.mark.parametrize("made", [table, pictures])
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(made: Callable[..., Scenery]) -> None:
    scene = made()
    one, again = (weights(fit_plan(scene.prepared, wishes())) for _ in range(2))
    assert same_tensors(one, again)
    assert not same_tensors(one, weights(fit_plan(made(seed=1).prepared, wishes())))


def test_judging_does_not_end_the_training_mode() -> None:
    """Normalising by the batch and leaving out at random belong to learning: judging more often changes neither."""
    often, seldom = (fit_plan(pictures(judge_every=every, steps=8).prepared, wishes()) for every in (1, 8))
    last = [fitted.history[-1]["sort.log_loss"] for fitted in (often, seldom)]
    assert last[0] == last[1]


def test_a_training_that_ended_by_itself_does_not_go_on_when_it_is_restored(tmp_path: Path) -> None:
    scene = table(stop_at_loss=1e6, schedule="cosine")
    asked = {"checkpoint": tmp_path / "checkpoint", "history": tmp_path / "history.jsonl"}
    first = fit_plan(scene.prepared, wishes(**asked))
    again = fit_plan(scene.prepared, wishes(**asked))
    assert first.steps == again.steps == 3 < 12
    assert first.ended == again.ended and "loss fell" in first.ended
    assert same_tensors(weights(first), weights(again))


@pytest.mark.parametrize("damage", ["flip", "gone"])
@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json", "MANIFEST.json"])
def test_a_damaged_checkpoint_is_refused_and_not_passed_over(tmp_path: Path, name: str, damage: str) -> None:
    scene = table(steps=2)
    asked = wishes(checkpoint=tmp_path / "checkpoint")
    fit_plan(scene.prepared, asked)
    (path,) = tmp_path.glob(f"checkpoint/saved-*/{name}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    if damage == "flip":
        path.write_bytes(data)
    with pytest.raises(RunError, match="--fresh"):
        fit_plan(scene.prepared, wishes(checkpoint=tmp_path / "checkpoint"))


def test_decisions_are_told_before_they_count_and_taken_back_when_they_are_given() -> None:
    scene = table(steps=3, precision="auto")
    told: list[dict[str, Any]] = []
    fitted = fit_plan(scene.prepared, wishes(decisions={}, decided=lambda found: told.append(dict(found))))
    assert told[0]["steps"] == fitted.steps == 3
    assert {"precision", "layout", "learning_rate", "step_seconds"} <= told[0].keys()
    given = DECIDED | {"learning_rate": 0.123, "steps": 2}
    again = fit_plan(scene.prepared, wishes(decisions=dict(given)))
    assert (again.decisions["learning_rate"], again.steps) == (0.123, 2)
    assert given == DECIDED | {"learning_rate": 0.123, "steps": 2}, "what was given stays as it was"


def test_rows_that_cannot_be_read_are_left_out_of_every_part_and_named() -> None:
    data = mixed(100, pictures=False)
    data["sort"][6] = data["sort"][18] = "unheard of"  # no training row says so
    scene = scenery(data, ("sort",))
    assert set(scene.prepared.problems) == {6, 18}
    assert all("outputs.sort" in why and "unheard of" in why for why in scene.prepared.problems.values())
    split = scene.prepared.split
    assert not {6, 18} & {*split.train.tolist(), *split.valid.tolist(), *split.test.tolist()}
    assert len(split.train) + len(split.valid) + len(split.test) == 98
    assert fit_plan(scene.prepared, wishes()).steps == 6


def test_rows_of_weight_nothing_teach_nothing() -> None:
    data = mixed(120, pictures=False)
    heavy = np.arange(120) % 4 != 1
    data["counts"] = heavy.astype(float)
    other = {name: list(cells) if isinstance(cells, list) else cells.copy() for name, cells in data.items()}
    other["price"][~heavy & (np.array(data["part"]) == "train")] += 40
    said = {"columns": {"counts": {"role": "weight", "kind": "number"}}, "outputs": {"price": {"transform": "none"}}}
    one, two = (scenery(each, ("price",), **said) for each in (data, other))
    two.prepared.facts["outputs.price"] = one.prepared.facts["outputs.price"]  # facts count rows alike
    assert one.prepared.weight is not None and set(one.prepared.weight) == {0.0, 1.0}
    assert same_tensors(weights(fit_plan(one.prepared, wishes())), weights(fit_plan(two.prepared, wishes())))


def test_no_usable_training_row_is_said_with_its_place() -> None:
    data = mixed(60, pictures=False)
    data["sort"] = ["dear" if part == "train" else "cheap" for part in data["part"]]
    with pytest.raises(DataError, match="sort"):
        scenery(data, ("sort",))
