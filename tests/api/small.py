"""A small table whose answers can be learned, and the settings that train on it in a moment."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

ROWS = 120


def houses() -> pl.DataFrame:
    """Rooms, area, zone and notes; the price and its level follow from them."""
    random = np.random.default_rng(0)
    rooms, area = random.normal(size=(2, ROWS)).round(3)
    zone = random.choice(["north", "south", "west"], ROWS)
    price = (3 * rooms - area + 2 * (zone == "north") + 0.1 * random.normal(size=ROWS)).round(3)
    level = np.where(price > 0.5, "high", "low")
    return pl.DataFrame({"rooms": rooms, "area": area, "zone": zone, "price": price, "level": level})


def write_houses(path: Path, frame: pl.DataFrame | None = None) -> Path:
    (houses() if frame is None else frame).write_csv(path)
    return path


def quick(**more: Any) -> dict[str, Any]:
    """Five steps of a narrow network, judged on rows held out once: `quick(optimizer="sgd")` changes the training."""
    return {
        "training.steps": 5,
        "training.ensemble": 1,
        "training.precision": "float32",
        "hidden.width": 16,
        "split.test": 0.2,
    } | {f"training.{name}": value for name, value in more.items()}
