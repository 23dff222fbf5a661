"""Facts and prepared values for plans of a small table, so that networks can be built and fed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from lamina.data import Batch, Column, Facts, StoredBlock, Table
from lamina.network import Collate, Plan, Scene, choose_plan
from lamina.run import fit_parts, prepare_parts

ROWS = 24


class Drawn:
    """Pictures made on the spot: 12 high and wide, coloured."""

    def open(self, reference: str) -> np.ndarray:
        return np.random.default_rng(int(reference)).integers(0, 256, (12, 12, 3), dtype=np.uint8)

    def fingerprint(self, reference: str) -> str:
        return reference


KINDS = {"age": "number", "rooms": "number", "place": "category", "words": "text", "front": "image", "back": "image",
         "price": "number", "sort": "category"}  # fmt: skip


def table() -> Table:
    random = np.random.default_rng(0)
    pictures = [str(row) for row in range(ROWS)]
    frame = pl.DataFrame({
        "age": random.normal(size=ROWS), "rooms": random.normal(size=ROWS),
        "place": [("hill", "lake", "town")[row % 3] for row in range(ROWS)],
        "words": [("red apple", "green pear", "one plum")[row % 3] for row in range(ROWS)],
        "front": pictures, "back": pictures[::-1],
        "price": random.normal(size=ROWS), "sort": [("dear", "cheap", "fair")[row % 3] for row in range(ROWS)],
    })  # fmt: skip
    return Table(frame, {"front": Drawn(), "back": Drawn()})


def scene(*inputs: str, targets: tuple[str, ...] = ("price",), rows: int = 500, **more: Any) -> Scene:
    """A scene of some of the table's columns."""
    names = {**dict.fromkeys(inputs, "input"), **dict.fromkeys(targets, "target")}
    columns = {name: Column(name=name, kind=KINDS[name], role=role) for name, role in names.items()}  # type: ignore[arg-type]
    if any(KINDS[name] == "image" for name in inputs):
        more = {"side": 12, **more}
    return Scene(columns, targets, rows, **more)


def plan(*inputs: str, given: Mapping[str, Any] | None = None, **more: Any) -> Plan:
    """What is chosen for some of the table's columns."""
    return choose_plan(scene(*inputs, **more), given or {})


def facts(of: Plan) -> dict[str, Facts]:
    return fit_parts(of, table(), np.arange(ROWS))


def blocks(of: Plan) -> dict[str, StoredBlock]:
    return prepare_parts(of, facts(of), table())


def batch(of: Plan, rows: range = range(ROWS), weight: np.ndarray | None = None) -> Batch:
    found = blocks(of)
    return Collate(
        {name: found[f"inputs.{name}"] for name in of.inputs},
        {name: found[f"outputs.{name}"] for name in of.outputs}, weight,
    )(np.array(rows))  # fmt: skip
