"""The plan for running text: a network that reads it on and on and learns what comes next."""

from collections.abc import Mapping
from typing import Any

WIDTHS = {"small": 128, "medium": 256, "large": 512}
"""Numbers that the reader carries on, by the size dial (docs/lab-notes.md)."""


def running_text(column: str, name: str, size: str, rows: int, given: Mapping[str, Any],
                 reasons: dict[str, str]) -> dict[str, Any]:  # fmt: skip
    """Inputs, hidden layers, outputs and training for a column of stretches that go on from row to row.

    Args:
        column: the column of the text.
        name: what its input and output are called.
        size: the dial.
        rows: stretches to learn from and to choose by.
        given: what a person said, for what must agree between input and output.
        reasons: filled in, by path.
    """
    said = {**((given.get("outputs") or {}).get(name) or {}), **((given.get("inputs") or {}).get(name) or {})}
    shared = {key: said[key] for key in ("unit", "most") if key in said}
    reasons[f"inputs.{name}.unit"] = "characters: a book is too short to learn its words from scratch"
    reasons["hidden"] = "reads in one direction and carries on what it read: learns more a second than attention does"
    reasons[f"outputs.{name}.memory"] = "names and turns of phrase come again: what was read lately is looked up"
    reasons["training.optimizer"] = "muon turns the matrix of each gate, adamw moves the rest: far fewer steps"
    reasons["training.batch_size"] = "up to 16 stretches side by side; fewer of a short text, for more steps"
    reasons["training.epochs"] = "as far as the time goes; after so many a book is known by heart"
    return {
        "inputs": {name: {"kind": "before", "columns": [column], **shared}},
        "trunks": {},
        "hidden": {"name": "lstm", "width": WIDTHS[size], "num_layers": 1, "both_ways": False, "dropout": 0.0},
        "outputs": {name: {"kind": "next", "column": column, **shared}},
        "training": {
            "optimizer": "muon", "learning_rate": 0.004, "muon_rate": 0.04, "weight_decay": 0.01, "warmup": 0.03,
            "average": 0.0, "batch_size": 16 if rows >= 2_048 else 8 if rows >= 512 else 4, "epochs": 60,
        },
    }  # fmt: skip
