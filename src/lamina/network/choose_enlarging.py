"""A plan for enlarging photos."""

from typing import Any

SIZES = {"small": (24, 3), "medium": (32, 5), "large": (64, 8)}
"""Channels and blocks, by the size dial."""
SCALE = 2
"""How many times photos are enlarged when nobody says."""


def enlarging(large: str, small: str | None, scale: int, rows: int, size: str,
              reasons: dict[str, str]) -> dict[str, Any]:  # fmt: skip
    """Sections of a plan for a network that enlarges photos.

    Args:
        large: the column of large photos.
        small: the column of small ones, None where they are made from the large ones.
        scale: how many times as large.
        rows: photos to learn from.
        size: small, medium or large.
        reasons: told why, by path.
    """
    width, blocks = SIZES[size]
    reasons["inputs.photo"] = "made small by bicubic interpolation" if small is None else "small photos are given"
    reasons["hidden"] = "convolutions that keep the grid of the small photo; the larger one is made in the last step"
    reasons["training.batch_size"] = "squares cut out of photos, from another place each time"
    return {
        "inputs": {
            "photo": {"kind": "photo", "columns": [small or large], "scale": scale if small is None else 1}
        },
        "trunks": {},
        "hidden": {"name": "enlarger", "width": width, "blocks": blocks},
        "outputs": {"large": {"kind": "photo", "column": large, "scale": scale}},
        "training": {
            "optimizer": "adam", "learning_rate": 0.002, "weight_decay": 0.0, "warmup": 0.05, "schedule": "cosine",
            "batch_size": min(16, rows), "average": 0.99, "precision": "auto", "epochs": 100_000,
        },
    }  # fmt: skip
