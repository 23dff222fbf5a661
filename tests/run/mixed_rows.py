"""A small table of everything: numbers with gaps and outliers, categories, moments, texts, pictures, two answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamina.data import read
from lamina.network import Plan, Scene, choose_plan
from lamina.run import Prepared, Study, Wishes, prepare, study, typical_side

WORDS = {"calm": 0.0, "quiet": 1.0, "garden": 2.0, "noisy": -1.0, "dark": -2.0, "old": -0.5, "bright": 1.5, "near": 0.3}

TINY: dict[str, Any] = {
    "hidden": {"width": 16},
    "training": {"steps": 6, "batch_size": 32, "judge_every": 6, "precision": "float32", "ensemble": 1},
}
"""A plan for seconds: small layers, few steps."""

DECIDED = {"precision": "float32", "layout": "contiguous", "way": "said so", "step_seconds": 0.01, "tried": {}}
"""What is otherwise measured with a clock, which two trainings need not agree in."""


def mixed(rows: int = 220, seed: int = 0, pictures: bool = True) -> dict[str, Any]:
    """Columns by name; `part` says which rows are learned from, chosen by and judged on."""
    random = np.random.default_rng(seed)
    area = random.lognormal(3, 0.5, rows)
    area[random.random(rows) < 0.1] = np.nan
    area[::50] = 1e5
    age = random.normal(40, 10, rows)
    place = random.choice(["hill", "lake", "town", "wood"], rows, p=[0.4, 0.3, 0.2, 0.1])
    texts = [list(random.choice(list(WORDS), 12)) for _ in range(rows)]
    mood = np.array([sum(WORDS[word] for word in text) for text in texts])
    photo = random.integers(0, 256, (rows, 8, 8, 3)).astype(np.uint8)
    moments = np.datetime64("2021-01-01T00:00:00") + random.integers(0, 3_000_000, rows) * np.timedelta64(17, "s")
    price = (
        np.nan_to_num(area, nan=20).clip(0, 100) + age + 3 * mood + (place == "lake") * 20 + random.normal(0, 3, rows)
    )
    data: dict[str, Any] = {
        "area": area,
        "age": age,
        "place": place.tolist(),
        "sold": [str(moment).replace("T", " ") for moment in moments],
        "words": [" ".join(text) for text in texts],
        "price": price,
        "sort": np.where(price > np.median(price), "dear", "cheap").tolist(),
        "part": ["train" if row % 10 < 6 else "valid" if row % 10 < 8 else "test" for row in range(rows)],
    }
    return data | ({"photo": photo} if pictures else {})


def corrupted(data: Mapping[str, Any], part: str, seed: int = 9) -> dict[str, Any]:
    """The same rows, in which every cell of one part of the split holds something else of the same kind."""
    rows = np.array(data["part"]) == part
    random = np.random.default_rng(seed)
    numbers = random.normal(-700, 5000, len(rows))
    others: dict[str, Any] = {
        "area": np.where(random.random(len(rows)) < 0.5, np.nan, numbers**2),
        "age": -numbers * 11,
        "place": [f"planet {row % 3}" for row in range(len(rows))],
        "sold": [f"1950-{1 + row % 12:02}-{1 + row % 28:02} 11:12:13" for row in range(len(rows))],
        "words": [f"unheard syllables {row} zyx {row * 7} of another tongue altogether" for row in range(len(rows))],
        "price": numbers * 3,
        "sort": ["cheap" if value == "dear" else "dear" for value in data["sort"]],
    }
    if "photo" in data:
        others["photo"] = 255 - data["photo"] // 3
    return {name: _laid_over(cells, others.get(name, cells), rows) for name, cells in data.items()}


def _laid_over(cells: Any, others: Any, rows: np.ndarray) -> Any:
    if isinstance(cells, list):
        return [other if chosen else cell for cell, other, chosen in zip(cells, others, rows, strict=True)]
    return np.where(rows.reshape(-1, *[1] * (cells.ndim - 1)), others, cells)


@dataclass
class Scenery:
    """Data on its way to a training."""

    seen: Study
    plan: Plan
    prepared: Prepared


def scenery(data: Mapping[str, Any], predict: tuple[str, ...] = ("price", "sort"), **given: Any) -> Scenery:
    """Data understood, split, and prepared for a tiny network; `given` is laid over the tiny plan, by section."""
    wanted = {name: {**TINY.get(name, {}), **given.get(name, {})} for name in {**TINY, **given}}
    if "part" in data:
        wanted["split"] = {"by": "part", **wanted.get("split", {})}
    seen = study(read([dict(data)]), predict, wanted, 0)
    side = typical_side(seen.table, seen.columns, seen.split.train, 0)
    plan = choose_plan(Scene(seen.columns, seen.targets, len(seen.split.train), side, False), wanted)
    return Scenery(seen, plan, prepare(plan, seen.table, seen.columns, seen.split, lambda what, done, total: None))


def wishes(**more: Any) -> Wishes:
    """Wishes whose decisions do not depend on a clock."""
    return Wishes(**{"decisions": dict(DECIDED), **more})
