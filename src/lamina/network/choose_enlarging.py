"""A plan for enlarging photos."""

from collections.abc import Mapping
from typing import Any

from lamina.network.scene import Scene

SIZES = {"small": (24, 3), "medium": (32, 5), "large": (64, 8)}
"""Channels and blocks, by the size dial."""
AFTER, PERCEPTION = 1000, 0.02
"""Steps before a critic joins, where one is wanted; how much differences of features count, where they are."""
SCALE = 2
"""How many times photos are enlarged when nobody says."""


def enlarging(scene: Scene, given: Mapping[str, Any], size: str, reasons: dict[str, str]) -> dict[str, Any]:
    """Sections of a plan for a network that enlarges photos to those of the target; see `Parts`.

    The small ones are those of another column among the inputs, if there is one, else made from the large ones.
    """
    (large,) = scene.targets
    small = next((each.name for each in scene.columns.values() if each.role == "input"), None)
    scale = scene.scale or SCALE
    width, blocks = SIZES[size]
    reasons["inputs.photo"] = "made small by bicubic interpolation" if small is None else "small photos are given"
    reasons["hidden"] = "convolutions that keep the grid of the small photo; the larger one is made in the last step"
    reasons["training.batch_size"] = "squares cut out of photos, from another place each time"
    training = given.get("training") or {}
    beside: dict[str, Any] = {}
    if training.get("objective") == "adversarial":
        reasons["players.critic"] = "learns to tell enlarged photos from real ones; not needed once training is over"
        reasons["adversarial.after"] = "sharp edges first, by the least difference alone; then what looks real"
        beside = {
            "players": {"critic": {"name": "critic", "width": width}},
            "adversarial": {"after": min(AFTER, (training.get("steps") or 2 * AFTER) // 2)},
        }
        if "perception" in (given.get("players") or {}):
            beside["adversarial"]["perception"] = PERCEPTION
    return beside | {
        "inputs": {
            "photo": {"kind": "photo", "columns": [small or large], "scale": scale if small is None else 1}
        },
        "trunks": {},
        "hidden": {"name": "enlarger", "width": width, "blocks": blocks},
        "outputs": {"large": {"kind": "photo", "column": large, "scale": scale}},
        "training": {
            "optimizer": "adam", "learning_rate": 0.002, "weight_decay": 0.0, "warmup": 0.05, "schedule": "cosine",
            "batch_size": min(16, scene.rows), "average": 0.99, "precision": "auto", "epochs": 100_000,
        },
    }  # fmt: skip
