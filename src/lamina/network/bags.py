"""What differs from a table where there are texts alone: nearly every row says something new."""

from typing import Any

EPOCHS = 6
"""How often texts are read to tell classes apart: more learn them by heart (docs/lab-notes.md, Texts)."""


def bag_of_texts(size: str) -> dict[str, Any]:
    """Settings of a text where there is nothing else: what stands in a single row counts, too."""
    return {"width": {"small": 32, "medium": 64, "large": 128}[size], "letters": (2, 5), "least": 1}


def bag_training(reasons: dict[str, str]) -> dict[str, Any]:
    """What is learned otherwise than with a table."""
    reasons["training.epochs"] = "a bag of phrases is learned in a few epochs; more learn it by heart"
    reasons["training.schedule"] = "one fall: what a text says is learned in the first epochs"
    return {"epochs": EPOCHS, "schedule": "cosine", "muon_rate": 0.005}
