"""Categories: a place for every value that training rows hold often enough, one for the rest, one for gaps."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from lamina.data.batch import Block, Chunk, Facts, Values
from lamina.data.finding import setting
from lamina.ground.errors import DataError, PlanError, listing
from lamina.ground.shapes import Features, Shape, vector
from lamina.inputs.contract import InputLayer, InputPlan

OTHER, GAP, FIRST, NEVER = 0, 1, 2, -1
"""Codes: a value that is rare or was never seen, no value, the most frequent value of a column; and what no cell is."""
ROWS_PER_LEAST, MOST_LEAST = 500, 5
"""A value needs a row for every five hundred, from 2 to 5, to have a place of its own."""
MOST_COUNTED = 1_000_000
"""Different values of a column that are counted at a time; beyond, those seen once so far are forgotten."""
LEAST_WIDTH, MOST_WIDTH = 4, 16
"""Features of a column with an embedding: the root of its number of places, within these bounds."""


@dataclass(frozen=True, kw_only=True)
class CategoryInput(InputPlan):
    """All columns of categories; few values become one feature each, many an embedding."""

    kind: ClassVar[str] = "category"

    least: int | None = None
    """Training rows from which a value has its own place; None takes 2 to 5 by the number of rows."""
    one_hot: int = 10
    """Places up to which each is a feature of its own; a column with more gets a learned vector for each."""
    width: int | None = None
    """Features of a column with learned vectors; None takes the root of its places, from 4 to 16."""

    def __post_init__(self) -> None:
        for name in ("least", "width"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise PlanError(f"{name}: {value} does not do: it is 1 or more.")
        if self.one_hot < 0:
            raise PlanError(f"one_hot: {self.one_hot} does not do: it is 0 or more.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """The values of every column with their own place, most frequent first, and how many rows have none of them.

        Raises:
            DataError: if every cell is a gap.
        """
        counters: list[Counter[str]] = [Counter() for _ in self.columns]
        gaps, rows = [0] * len(self.columns), 0
        for chunk in chunks:
            rows += len(chunk)
            for column, name in enumerate(self.columns):
                values, counts = chunk.frame[name].cast(pl.String).drop_nulls().value_counts().get_columns()
                gaps[column] += len(chunk) - int(counts.sum())
                counters[column].update(dict(zip(values.to_list(), counts.to_list(), strict=True)))
                if len(counters[column]) > MOST_COUNTED:
                    counters[column] = Counter({value: n for value, n in counters[column].items() if n > 1})
        if sum(gaps) == rows * len(self.columns):
            raise DataError(
                f"Every cell of {listing(self.columns)} is a gap in {rows:,} training rows: there is nothing to learn "
                f"from. Leave out what is empty: {setting(self.columns[0], 'role', 'ignore')}"
            )
        least = self.least or max(2, min(MOST_LEAST, rows // ROWS_PER_LEAST))
        kept = [_frequent(counter, least) for counter in counters]
        own = [sum(counter[value] for value in known) for counter, known in zip(counters, kept, strict=True)]
        others = [rows - gap - count for gap, count in zip(gaps, own, strict=True)]
        return {"rows": rows, "values": kept, "gaps": gaps, "others": others}

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows, columns) int32 codes: `OTHER`, `GAP`, or the place of a value counted from `FIRST`."""
        known: Sequence[Sequence[str]] = facts["values"]  # type: ignore[assignment]
        codes = []
        for name, values in zip(self.columns, known, strict=True):
            cells = chunk.frame[name].cast(pl.String)
            places = cells.replace_strict(
                list(values), list(range(FIRST, FIRST + len(values))), default=OTHER, return_dtype=pl.Int32
            )
            codes.append(places.set(cells.is_null(), GAP).to_numpy())
        return Block(np.stack(codes, axis=1))

    def depends_on(self, facts: Facts) -> object:
        """The columns and their values; how a code becomes features is left to `forward`."""
        return [list(self.columns), facts["values"]]

    def build(self, facts: Facts) -> "CategoryLayer":
        """The layer, with what was learned in its buffers."""
        return CategoryLayer(self, facts)


def _frequent(counter: Counter[str], least: int) -> list[str]:
    """Values of at least so many rows, most frequent first, equals by name."""
    kept = [(value, count) for value, count in counter.items() if count >= least]
    return [value for value, _ in sorted(kept, key=lambda pair: (-pair[1], pair[0]))]


class CategoryLayer(InputLayer):
    """(batch, columns) codes -> (batch, one-hot features of all narrow columns, then vectors of the wide ones).

    A code that no training row has says nothing: zeros. Two codes make a single feature, 1 for the first and -1 for
    the second.
    """

    column: Tensor
    yes: Tensor
    no: Tensor

    def __init__(self, plan: CategoryInput, facts: Facts):
        super().__init__()
        one_hot: list[tuple[int, int, int]] = []  # (column, code that gives 1, code that gives -1)
        self._embedded: list[int] = []
        embeddings = []
        known: tuple[Sequence, Sequence, Sequence] = (facts["values"], facts["gaps"], facts["others"])  # type: ignore[assignment]
        for number, (values, gaps, others) in enumerate(zip(*known, strict=True)):
            places = [*range(FIRST, FIRST + len(values))] + [GAP] * bool(gaps) + [OTHER] * bool(others)
            if len(places) > plan.one_hot:
                self._embedded.append(number)
                embeddings.append(_embedding(places, FIRST + len(values), plan.width))
            elif len(places) == 2:
                one_hot.append((number, *places))
            else:
                one_hot += [(number, place, NEVER) for place in places]
        for position, name in enumerate(("column", "yes", "no")):
            self.register_buffer(name, torch.tensor([feature[position] for feature in one_hot], dtype=torch.int64))
        self.embeddings = nn.ModuleList(embeddings)
        self.shape = Shape("vector", len(one_hot) + sum(embedding.embedding_dim for embedding in embeddings))

    def forward(self, values: Values) -> Features:
        assert isinstance(values, Tensor)
        codes = values.long()
        looked_at = codes[:, self.column]  # (batch, one-hot features)
        one_hot = (looked_at == self.yes).float() - (looked_at == self.no).float()
        vectors = [embed(codes[:, c]) for c, embed in zip(self._embedded, self.embeddings, strict=True)]
        return vector(torch.cat([one_hot, *vectors], dim=1))


def _embedding(places: Sequence[int], codes: int, width: int | None) -> nn.Embedding:
    """A vector for each code; zeros for those that no training row has, which then stay."""
    width = width or max(LEAST_WIDTH, min(MOST_WIDTH, math.ceil(math.sqrt(len(places)))))
    embedding = nn.Embedding(codes, width)
    met = torch.zeros(codes, 1)
    met[list(places)] = 1
    with torch.no_grad():
        embedding.weight.copy_(0.3 * torch.randn(codes, width) * met)
    return embedding
