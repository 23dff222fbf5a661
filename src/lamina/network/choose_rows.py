"""A plan for making rows of a table: which columns, how large the two networks are, how they are taught."""

from collections.abc import Mapping
from typing import Any

from lamina.ground import PlanError, listing
from lamina.network.choose_making import check_taught
from lamina.network.scene import Scene

WIDTHS = {"small": 128, "medium": 256, "large": 512}
"""Numbers of each layer of both networks, by the size dial."""
MOST_CLASSES = 1_000
"""Different values of a column of categories; one with more holds names, which are no one else's to make."""


def making_rows(scene: Scene, given: Mapping[str, Any], size: str, reasons: dict[str, str]) -> dict[str, Any]:
    """Sections of a plan for a network that makes rows of numbers and categories like those of the table; see `Parts`.

    Raises:
        PlanError: if there are no such columns, or something was asked for that making rows cannot keep.
    """
    check_taught(given)
    used = [column for column in scene.columns.values() if column.role in ("input", "target", "time")]
    numbers = [column.name for column in used if column.kind == "number"]
    categories = [column.name for column in used if column.kind == "category" and column.distinct <= MOST_CLASSES]
    if not numbers and not categories:
        raise PlanError("Rows are made of numbers and categories, and no column holds any: "
                        f"{listing(f'{column.name} ({column.kind})' for column in used)}.")  # fmt: skip
    others = [column.name for column in used if column.name not in (*numbers, *categories)]
    reasons["outputs.row"] = "numbers by their rank, categories by their classes" + (
        f"; left out, being neither: {listing(others)}" if others else ""
    )
    reasons["players.critic"] = "learns to tell made rows from real ones; not needed once training is over"
    reasons["adversarial.loss"] = "pairs of a real and a made row: no kind of row can be left out unnoticed"
    reasons["training.average"] = "the running average of the weights makes the rows: the weights themselves circle"
    first, width = (numbers + categories)[0], WIDTHS[size]
    return {
        "inputs": {"noise": {"kind": "noise", "columns": [first]}},
        "trunks": {},
        "hidden": {"name": "mlp", "width": width, "num_layers": 3, "normalisation": "layer"},
        "outputs": {"row": {"kind": "row", "column": first, "numbers": numbers, "categories": categories}},
        "players": {"critic": {"name": "mlp", "width": width, "num_layers": 3, "activation": "leaky_relu"}},
        "adversarial": {"penalty": 0.1, "augment": 0.0},
        "training": {
            "objective": "adversarial", "optimizer": "adam", "learning_rate": 0.001, "momentum": 0.0,
            "weight_decay": 0.0, "clip": 0.0, "warmup": 0.02, "schedule": "cosine",
            "batch_size": min(256, max(scene.rows // 4, 1)), "average": 0.999, "precision": "float32", "epochs": 1000,
        },
    }  # fmt: skip
