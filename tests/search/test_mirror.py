"""Drawn pictures: arrows that point left or right turn into each other in a mirror, rings and crosses do not."""

from typing import Any

import numpy as np
import pytest
from run.mixed_rows import DECIDED, Scenery, scenery, wishes

from lamina.search import Mirroring, may_mirror

SIDE = 12


def drawn(shape: str, random: np.random.Generator) -> np.ndarray:
    """A picture (12, 12) of a shape a little off the middle, on a noisy ground."""
    picture = random.integers(0, 40, (SIDE, SIDE))
    down, right = np.mgrid[:SIDE, :SIDE] - SIDE // 2 - random.integers(-1, 2, 2)[:, None, None]
    line = {
        "left": (abs(down) <= right + 3) & (right <= 0),
        "right": (abs(down) <= 3 - right) & (right >= 0),
        "ring": abs(np.hypot(down, right) - 3) < 1,
        "cross": (abs(down) < 1) | (abs(right) < 1),
    }[shape]
    picture[line] = 220
    return picture.astype(np.uint8)


def scene(shapes: tuple[str, ...], mirror: bool | None = None, rows: int = 240, numbers: bool = False,
          steps: int = 60) -> Scenery:  # fmt: skip
    random = np.random.default_rng(0)
    names = [shapes[row % len(shapes)] for row in range(rows)]
    pictures = np.stack([drawn(name, random) for name in names])
    answers: Any = [2.0 * shapes.index(name) + random.normal(0, 0.1) for name in names] if numbers else names
    data = {
        "photo": pictures,
        "y": answers,
        "part": [("train", "train", "train", "valid", "test")[row // 2 % 5] for row in range(rows)],
    }
    given: dict[str, Any] = {
        "hidden": {"width": 8, "depth": 2}, "training": {"steps": steps, "judge_every": 20},
        "inputs": {"photo": {"mirror": mirror, "strength": 0.5}},
    }  # fmt: skip
    return scenery(data, ("y",), **given)


def asked(scene: Scenery) -> Mirroring | None:
    return may_mirror(scene.prepared, 600.0, wishes(decisions=dict(DECIDED)))


@pytest.mark.parametrize("numbers", [False, True], ids=["classes", "numbers"])
def test_arrows_to_the_left_and_right_must_not_be_mirrored(numbers: bool) -> None:
    found = asked(scene(("left", "right"), numbers=numbers))
    assert found is not None
    assert found.allowed is False
    assert "something else" in found.reason


def test_two_classes_among_several_that_turn_into_each_other_are_named() -> None:
    found = asked(scene(("left", "right", "ring", "ring", "ring", "cross", "cross", "cross"), rows=640, steps=160))
    assert found is not None
    assert found.allowed is False
    assert "something else" in found.reason or ("'left'" in found.reason and "'right'" in found.reason)


def test_shapes_that_look_alike_in_a_mirror_may_be_mirrored() -> None:
    found = asked(scene(("ring", "cross")))
    assert found is not None
    assert found.allowed is True
    assert "mean the same" in found.reason


def test_a_pilot_that_learned_nothing_allows_nothing() -> None:
    made = scene(("ring", "cross"))
    made.prepared.blocks["outputs.y"] = type(made.prepared.blocks["outputs.y"])(
        np.random.default_rng(1).integers(0, 2, len(made.seen.table))
    )
    found = asked(made)
    assert found is not None
    assert found.allowed is False
    assert "too little" in found.reason


@pytest.mark.parametrize(
    "made", [lambda: scene(("ring", "cross"), mirror=False), lambda: scene(("ring", "cross"), rows=60)],
    ids=["it is said already", "too few rows"],
)  # fmt: skip
def test_where_there_is_nothing_to_decide_nothing_is_asked(made) -> None:
    assert asked(made()) is None
