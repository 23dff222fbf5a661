"""Any of many labels: a probability for each, and the line above which it is given."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl
import torch
from torch import Tensor
from torch.nn import functional

from lamina.data.batch import Block, Chunk, Facts, Values
from lamina.ground.errors import DataError, PlanError, listing, nearest
from lamina.ground.shapes import Features, Shape
from lamina.losses import Loss
from lamina.metrics import Metric, label_metrics
from lamina.outputs.contract import KEEPS_ANSWERS, Answers, OutputLayer, OutputPlan
from lamina.outputs.head import LinearHead, weighted_sum

SEPARATORS = (";", "|", ",")
"""In order of trust: a comma is often part of a label."""
COMMON = 0.1
"""Share of cells that a separator must be in to be taken before a more frequent, less trusted one."""
MOST_LABELS = 10_000
"""More labels than this are taken for free text."""
FEW = 10
"""A label with fewer validation rows than this keeps the line at one half."""
LARGEST_WEIGHT = 100.0
"""No present label counts more than this many absent ones."""


@dataclass(frozen=True, kw_only=True)
class LabelsOutput(OutputPlan):
    """Any number of labels for each row, none included."""

    kind: ClassVar[str] = "labels"

    positive_weights: Literal["none", "balanced"] = "none"
    """`balanced` lets present and absent count the same in the loss, label by label."""
    decides: str = "average_precision"
    """The metric by which validation chooses; this one needs no line above which a label is given."""

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """How cells are separated, the labels by name, and how many rows have each.

        The separator is JSON when every cell is a JSON list; otherwise the first of `;`, `|` and `,` that is in a
        tenth of the cells, or else the one that is in most; without any, a cell is one label.

        Raises:
            DataError: if there are only gaps, fewer than two labels, or so many that the cells look like free text.
        """
        cells: Counter[str] = Counter()
        for chunk in chunks:
            found = chunk.frame[self.column].cast(pl.String).drop_nulls().value_counts()
            cells.update(dict(zip(*found.get_columns(), strict=True)))
        rows = cells.total()
        if rows == 0:
            raise DataError(f"Column {self.column!r} holds nothing but gaps: there is no answer to learn from.")
        separator = _separator(cells)
        labels: Counter[str] = Counter()
        for cell, times in cells.items():
            labels.update(dict.fromkeys(split(cell, separator), times))
        if len(labels) > MOST_LABELS or (len(labels) > 20 and len(labels) > rows):
            raise DataError(
                f"Column {self.column!r} has {len(labels):,} different labels in {rows:,} rows "
                f"({listing(list(labels)[:3])}, ...): it looks like free text. Predict another column, or keep fewer "
                f"labels."
            )
        if len(labels) < 2:
            raise DataError(
                f"Column {self.column!r} holds {'the single label ' + repr(*labels) if labels else 'no label'} in "
                f"{rows:,} training rows: labels need two or more to choose from."
            )
        names = sorted(labels)
        counts = np.array([labels[name] for name in names], dtype=np.int64)
        return {"separator": separator, "labels": names, "counts": counts, "rows": rows}

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows, labels) uint8, 1 where a row has the label; gaps and labels of no training row are problems."""
        names: list[str] = facts["labels"]  # type: ignore[assignment]
        places = {name: place for place, name in enumerate(names)}
        cells = chunk.frame[self.column].cast(pl.String)
        values = np.zeros((len(cells), len(names)), dtype=np.uint8)
        problems = {}
        for entry, cell in enumerate(cells):
            if cell is None:
                problems[entry] = f"{self.column} is a gap: no answer to learn from or to compare with"
                continue
            found = split(cell, str(facts["separator"]))
            unknown = [name for name in found if name not in places]
            if unknown:
                problems[entry] = f"{self.column} has {unknown[0]!r}, a label that no training row has"
            else:
                values[entry, [places[name] for name in found]] = 1
        return Block(values, problems=problems)

    def build(self, facts: Facts, shape: Shape) -> "LabelsLayer":
        """The layer for features of this shape, which starts from how often each label occurs.

        Raises:
            PlanError: if `decides` names a metric that is not there.
        """
        return LabelsLayer(self, facts, shape)


class LabelsLayer(OutputLayer):
    """A linear map to one raw score for each label, (batch, members, labels)."""

    # As for classes: what is seen does not change with where it lies.
    follows: ClassVar[frozenset[str]] = KEEPS_ANSWERS

    positive_weights: Tensor
    lines: Tensor

    def __init__(self, plan: LabelsOutput, facts: Facts, shape: Shape):
        super().__init__()
        self.plan = plan
        self.labels: list[str] = facts["labels"]  # type: ignore[assignment]
        self.separator = str(facts["separator"])
        self._metrics = label_metrics()
        self.decides = plan.decides
        if self.decides not in self._metrics:
            raise PlanError(
                f"{plan.column}: there is no metric {self.decides!r} for labels.{nearest(self.decides, self._metrics)} "
                f"Known here: {listing(self._metrics)}."
            )
        counts, rows = np.asarray(facts["counts"], dtype=np.float64), float(facts["rows"])  # type: ignore[arg-type]
        odds = (counts + 0.5) / (rows - counts + 0.5)  # half a row each: a label of every row is not certain
        weights = (1 / odds).clip(max=LARGEST_WEIGHT) if plan.positive_weights == "balanced" else np.ones_like(odds)
        self.head = LinearHead(shape, np.log(odds * weights).tolist())
        self.register_buffer("positive_weights", torch.tensor(weights, dtype=torch.float32))
        self.register_buffer("lines", torch.full((len(odds),), 0.5))

    def forward(self, features: Features, targets: Values | None = None) -> Tensor:
        """Raw scores: (batch, members, labels)."""
        return self.head(features)

    def loss(self, raw: Tensor, targets: Values, weight: Tensor | None = None) -> Loss:
        """Binary cross entropy, the mean over labels."""
        assert isinstance(targets, Tensor)
        wanted = targets[:, None].to(torch.float32).expand_as(raw)
        losses = functional.binary_cross_entropy_with_logits(
            raw.float(), wanted, reduction="none", pos_weight=self.positive_weights
        )
        return Loss(*weighted_sum(losses.mean(-1), weight))

    def decode(self, raw: Tensor, context: Mapping[str, pl.Series]) -> Answers:
        """The labels above their lines, and the mean probability of those given.

        Where none is given, the confidence is the probability that the likeliest label is absent. Scores are moved so
        that each label's line lies at one half: metrics need no other line.
        """
        probabilities = raw.float().sigmoid().mean(1).cpu().numpy()
        scores = with_line_at_half(probabilities, self.lines.cpu().numpy())
        given = scores > 0.5
        number = given.sum(1)
        sure = (probabilities * given).sum(1) / number.clip(1)
        confidence = np.where(number > 0, sure, 1 - probabilities.max(1))
        texts = [join([self.labels[place] for place in np.flatnonzero(row)], self.separator) for row in given]
        column = self.plan.column
        return Answers(scores, {column: np.array(texts), f"{column}_confidence": confidence})

    @torch.no_grad()
    def calibrate(self, raw: Tensor, targets: Values) -> None:
        """Draw each label's line where F1 is largest on these rows."""
        assert isinstance(targets, Tensor)
        probabilities = raw.float().sigmoid().mean(1)
        lines = best_lines(probabilities.cpu().numpy(), targets.cpu().numpy())
        self.lines.copy_(torch.from_numpy(lines))

    def metrics(self) -> Mapping[str, Metric]:
        """Every figure for labels, by key."""
        return self._metrics


def best_lines(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The probability above which giving a label has the largest F1 on these rows: (labels,) float32.

    One half where a label has fewer than `FEW` rows, or where no line does better.

    Args:
        probabilities: (rows, labels).
        truth: (rows, labels), 1 where a row has the label.
    """
    rows, labels = truth.shape
    lines = np.full(labels, 0.5, dtype=np.float32)
    for label in np.flatnonzero(truth.sum(0, dtype=np.int64) >= FEW).tolist():
        chances, present = probabilities[:, label], truth[:, label].astype(np.float64)
        order = np.argsort(-chances, kind="stable")
        ranked, given = chances[order], np.arange(1, rows + 1)
        f1 = 2 * present[order].cumsum() / (given + present.sum())
        f1[:-1][ranked[:-1] == ranked[1:]] = 0  # rows with equal chances are given the label together
        best = int(f1.argmax())
        at_half = np.count_nonzero(chances > 0.5)
        if f1[best] > (f1[at_half - 1] if at_half else 0):
            lower = ranked[best + 1] if best + 1 < rows else 0.0
            lines[label] = (ranked[best] + lower) / 2
    return lines


def with_line_at_half(probabilities: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """(rows, labels) scores in the same order, each label's odds divided by those of its line."""
    lines = lines.clip(1e-6, 1 - 1e-6)
    above, below = probabilities * (1 - lines), (1 - probabilities) * lines
    return above / (above + below)


def split(cell: str, separator: str) -> list[str]:
    """The labels of one cell, each once, without surrounding blanks."""
    if separator == "json":
        parsed = _json_list(cell)
        found = [cell] if parsed is None else [str(label) for label in parsed]
    else:
        found = cell.split(separator) if separator else [cell]
    return list(dict.fromkeys(label.strip() for label in found if label.strip()))


def join(labels: Sequence[str], separator: str) -> str:
    """Labels as a cell of the column holds them."""
    return json.dumps(list(labels), ensure_ascii=False) if separator == "json" else separator.join(labels)


def _separator(cells: Mapping[str, int]) -> str:
    if all(_json_list(cell) is not None for cell in cells):
        return "json"
    rows = sum(cells.values())
    holding = {mark: sum(times for cell, times in cells.items() if mark in cell) for mark in SEPARATORS}
    for mark in SEPARATORS:
        if holding[mark] >= COMMON * rows:
            return mark
    mark = max(SEPARATORS, key=lambda mark: holding[mark])
    return mark if holding[mark] else ""


def _json_list(cell: str) -> list[object] | None:
    """The list that a cell writes in JSON, or None."""
    try:
        parsed = json.loads(cell)
    except ValueError:
        return None
    return parsed if isinstance(parsed, list) else None
