"""What is chosen where words are tagged: how they are read, and how the network learns.

The figures behind it stand in docs/lab-notes.md, under tags.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lamina.data import Column, setting
from lamina.ground import PlanError


def tagged_texts(columns: Mapping[str, Column], targets: Sequence[str]) -> list[str]:
    """The columns whose words are to be tagged.

    Raises:
        PlanError: if one of them is not among the inputs.
    """
    found = list(dict.fromkeys(columns[target].of for target in targets if columns[target].kind == "tags"))
    for name in found:
        if columns[name].role != "input":
            why = columns[name].reason or columns[name].role
            raise PlanError(
                f"{name!r} holds the words that are to be tagged, but is set aside ({why}). Give it its role back: "
                f"{setting(name, 'role', 'input')}"
            )
    return found


def reader_size(size: str) -> dict[str, Any]:
    """Settings of the layers that read words from both ends."""
    return {"name": "lstm", "width": {"small": 64, "medium": 128, "large": 256}[size], "dropout": 0.2}


def sequence_training(rows: int, reasons: dict[str, str]) -> dict[str, Any]:
    """How a network learns to tag words."""
    reasons["training.optimizer"] = "muon turns the matrices of the reader, adamw moves the rest: far fewer steps"
    reasons["training.batch_size"] = "few sentences a step: each has many words, and each word is learned from"
    reasons["training.epochs"] = "10 epochs, up to 40 of fewer than 3,200 sentences: more would learn them by heart"
    return {
        "optimizer": "muon", "learning_rate": 0.01, "muon_rate": 0.03, "weight_decay": 0.01, "average": 0.0,
        "ensemble": 1,
        "batch_size": 32 if rows >= 1_000 else 8, "epochs": min(max(round(32_000 / max(rows, 1)), 10), 40),
    }  # fmt: skip
