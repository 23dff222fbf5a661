"""The rows of the benchmark: which data, how long, which figures, and what they should reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Goal:
    """What a figure should reach; set before the first training."""

    at_least: float
    aim: float
    larger_is_better: bool = True

    def reached(self, value: float) -> str:
        """`aim`, `at least` or `no`."""
        for name, bar in (("aim", self.aim), ("at least", self.at_least)):
            if (value >= bar) if self.larger_is_better else (value <= bar):
                return name
        return "no"


@dataclass(frozen=True)
class Row:
    """One training."""

    name: str
    data: str
    """Folder of its data."""
    train: tuple[str, ...]
    test: tuple[str, ...]
    task: str
    time: str
    goals: Mapping[str, Goal]
    """By figure: keys of an evaluation, or `frechet_over_real`, how many times as far as real training ones."""
    scale: int | None = None


def figures(evaluation: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a run by key, the Fréchet distance also as a multiple of that of real training ones."""
    (column,) = evaluation["metrics"]
    found = {key: float(figure["value"]) for key, figure in evaluation["metrics"][column].items()}
    real = next((each.get(column, {}).get("frechet") for who, each in evaluation["baselines"].items()
                 if who.startswith("real training")), None)  # fmt: skip
    if real:
        found["frechet_over_real"] = found["frechet"] / real["value"]
    return found


def _made(name: str, data: str, train: tuple[str, ...], test: tuple[str, ...], recognised: Goal, far: Goal) -> Row:
    goals = {"recognised": recognised, "frechet_over_real": far}
    return Row(name, data, train, test, "generate", "20m", goals)


_IDX = ("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz")
ROWS: dict[str, Row] = {row.name: row for row in (
    _made("mnist_made", "mnist", tuple(f"train-{part}" for part in _IDX), tuple(f"t10k-{part}" for part in _IDX),
          Goal(0.95, 0.99), Goal(10, 4, larger_is_better=False)),
    _made("fashion_mnist_made", "fashion_mnist", ("train.zip",), ("test.zip",),
          Goal(0.85, 0.90), Goal(12, 6, larger_is_better=False)),
    Row("adult_income_made", "adult_income", ("train.csv.gz",), ("test.csv.gz",), "rows", "5m",
        {"learned_from": Goal(0.83, 0.85), "told_apart": Goal(0.8, 0.65, larger_is_better=False)}),
    Row("super_resolution_x2", "super_resolution", ("T91.zip",), ("Set5.zip",), "enlarge", "10m",
        {"psnr": Goal(36.9, 37.3)}, scale=2),
    Row("super_resolution_x3", "super_resolution", ("T91.zip",), ("Set5.zip",), "enlarge", "10m",
        {"psnr": Goal(33.1, 33.5)}, scale=3),
)}  # fmt: skip
