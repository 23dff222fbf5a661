"""A plan for making pictures: what it starts from, how large the two networks are, how they are taught."""

from collections.abc import Mapping
from typing import Any

from lamina.ground import PlanError
from lamina.network.scene import Scene

SIDES = {"small": 32, "medium": 64, "large": 128}
"""The longer side that larger pictures are brought to, in pixels, by the size dial."""
WIDTHS = {"small": 8, "medium": 16, "large": 32}
"""Channels of the finest grid that pictures are made on; the critic, which works on half of it, has twice as many."""
COARSEST = 7
"""Positions of a side of the grid that a picture starts from, at most."""


def making(scene: Scene, given: Mapping[str, Any], size: str, reasons: dict[str, str]) -> dict[str, Any]:
    """Sections of a plan for a network that makes pictures like those of the target; see `Parts`.

    Pictures are asked for by the classes of a column of categories among the inputs, if there is one.

    Raises:
        PlanError: if something was asked for that making pictures cannot keep.
    """
    check_taught(given)
    (column,) = scene.targets
    asked = next((each.name for each in scene.columns.values() if each.role == "input" and each.kind == "category"),
                 None)  # fmt: skip
    side, most = scene.side or SIDES["medium"], SIDES[size]
    wanted = min(side, most)
    reasons["outputs.image.side"] = (
        "as the pictures are" if side <= most
        else f"the pictures are about {side} wide or high; size={size} makes them up to {most}"
    )  # fmt: skip
    grid, stages = wanted, 0
    while grid > COARSEST:
        grid, stages = -(-grid // 2), stages + 1
    inputs: dict[str, Any] = {"noise": {"kind": "noise", "columns": [column]}}
    if asked is not None:
        inputs["asked"] = {"kind": "category", "columns": [asked], "one_hot": 1000}
        reasons["inputs.asked"] = f"pictures are asked for by {asked}"
    reasons["hidden"] = f"a grid of {grid} x {grid}, doubled {stages} times"
    reasons["players.critic"] = "learns to tell made pictures from real ones; not needed once training is over"
    reasons["adversarial.loss"] = "pairs of a real and a made picture: no kind of picture can be left out unnoticed"
    reasons["training.average"] = "the running average of the weights makes the pictures: the weights themselves circle"
    width = WIDTHS[size]
    return {
        "inputs": inputs,
        "trunks": {},
        "hidden": {"name": "generator", "width": width, "grid": [grid, grid], "stages": stages},
        "outputs": {"image": {"kind": "image", "column": column, "side": wanted}},
        "players": {"critic": {"name": "critic", "width": 2 * width}},
        "adversarial": {},
        "training": {
            "objective": "adversarial", "optimizer": "adam", "learning_rate": 0.002, "momentum": 0.0,
            "weight_decay": 0.0, "clip": 0.0, "warmup": 0.02, "schedule": "cosine", "batch_size": 32,
            "average": 0.999, "precision": "float32", "epochs": 1000,
        },
    }  # fmt: skip


def check_taught(given: Mapping[str, Any]) -> None:
    """That nothing was asked for that two networks which teach each other cannot keep.

    Raises:
        PlanError: on a rate to be found by trying, several networks, or a network divided among processes.
    """
    training = given.get("training") or {}
    if training.get("learning_rate") == "find":
        raise PlanError("training.learning_rate: `find` goes by one network's loss, and here two learn from each "
                        "other. Give a number: --set training.learning_rate=0.001.")  # fmt: skip
    if (training.get("ensemble") or 1) > 1:
        raise PlanError("training.ensemble: things are made by one network.")
    if training.get("shard"):
        raise PlanError("training.shard: two networks that teach each other are not divided among processes.")
