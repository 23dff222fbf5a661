"""A small scene for every kind of part: cells that hold what such cells hold, gaps and rare values included."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import torch

from lamina.data import Batch, Block, Chunk, Ragged, Table, Values
from lamina.ground import Features, Shape, grid, tokens, vector

ROWS = 60


class Drawn:
    """Pictures made on the spot: 20 high, 24 wide, coloured, each its own."""

    def open(self, reference: str) -> np.ndarray:
        return np.random.default_rng(int(reference)).integers(0, 256, (20, 24, 3), dtype=np.uint8)

    def fingerprint(self, reference: str) -> str:
        return reference


def table() -> Table:
    random = np.random.default_rng(0)
    numbers = random.lognormal(size=ROWS)
    start = datetime(2024, 1, 30, 5)
    words = ["red apple", "green pear", "a pear and an apple", "", "plum"]
    frame = pl.DataFrame(
        {
            "number": pl.Series(numbers).set(pl.Series(np.arange(ROWS) % 9 == 4), None),
            "other": pl.Series(random.normal(size=ROWS)),
            "category": pl.Series([None if row % 11 == 3 else "abcd"[row * row % 4] for row in range(ROWS)]),
            "moment": [None if row == 7 else start + timedelta(hours=7 * row) for row in range(ROWS)],
            "text": [words[row % 5] for row in range(ROWS)],
            "image": [str(row) for row in range(ROWS)],
            "tags": [
                " ".join("BIO"[min(place + row % 2, 2)] for place, _ in enumerate(words[row % 5].split())) or None
                for row in range(ROWS)
            ],
            "labels": [";".join(sorted({"x", "yz"[row % 2], "w"[: row % 3]} - {""})) for row in range(ROWS)],
        }
    )
    return Table(frame, {"image": Drawn()})


def chunks(size: int, rows: range | None = None) -> Iterator[Chunk]:
    return table().chunks(np.arange(ROWS) if rows is None else np.array(rows), size=size)


COLUMNS = {
    "number": ("number", "other"),
    "category": ("category",),
    "moment": ("moment",),
    "text": ("text",),
    "tokens": ("text",),
    "before": ("text",),
    "words": ("text",),
    "image": ("image",),
    "noise": ("image",),
    "photo": ("image",),
}
"""What an input of each kind reads."""

SHAPES = {"vector": Shape("vector", 12), "grid": Shape("grid", 3, (32, 32)), "tokens": Shape("tokens", 12)}
"""Features to build hidden layers for, by form."""


def features(shape: Shape, rows: int = 6, lengths: torch.Tensor | None = None) -> Features:
    generator = np.random.default_rng(3)

    def random(*sizes: int) -> np.ndarray:
        return generator.normal(size=sizes).astype(np.float32)

    if shape.form == "vector":
        sizes = (rows, shape.width) if shape.members is None else (rows, shape.members, shape.width)
        return vector(torch.from_numpy(random(*sizes)))
    if shape.form == "grid":
        values = torch.from_numpy(random(rows, shape.width, *shape.space))
        return grid(values, tuple(values[:, :width] for width in shape.widths))
    lengths = torch.tensor([9, 4, 1, 7, 9, 2]).repeat(-(-rows // 6))[:rows] if lengths is None else lengths
    return tokens(torch.from_numpy(random(rows, int(lengths.max()), shape.width)), lengths)


def values(block: Block) -> Values:
    whole = torch.from_numpy(np.ascontiguousarray(block.values))
    return whole if block.offsets is None else Ragged(whole, torch.from_numpy(block.offsets))


def rows_of(all_values: Values, rows: list[int]) -> Values:
    if not isinstance(all_values, Ragged):
        return all_values[rows]
    pieces = [all_values.values[all_values.offsets[row] : all_values.offsets[row + 1]] for row in rows]
    lengths = torch.tensor([0] + [len(piece) for piece in pieces])
    return Ragged(torch.cat(pieces), lengths.cumsum(0))


def batch(inputs: dict[str, Values]) -> Batch:
    return Batch(inputs, {}, torch.arange(ROWS))
