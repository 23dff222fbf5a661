"""What every answer must keep: targets -> loss -> answers -> metrics.

The same three lives as an input: settings -> `fit` on training rows -> a layer. An output may receive features of
several networks trained side by side (`Shape.members`): each member has a head of its own, the loss is their mean,
and the answer is decoded from all of them together.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import polars as pl
from torch import Tensor, nn

from lamina.data.batch import Block, Chunk, Facts, Values
from lamina.ground.errors import PlanError
from lamina.ground.shapes import Features, Form, Geometry, Shape
from lamina.losses import Loss
from lamina.metrics import Metric

KEEPS_ANSWERS = frozenset({"mirror", "flip", "shift", "crop", "rotate", "scale", "shear", "erase"})
"""Geometry that leaves an answer about a whole picture as it is, once the input was allowed to apply it."""


@dataclass(frozen=True)
class Answers:
    """What a network says of some rows."""

    scores: np.ndarray
    """What metrics take: (rows, classes) probabilities, or (rows,) values in the units of the column; (rows,) of arrays
    where each row has any number of answers."""
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    """What a person reads, by column name: the answer first, its confidence beside it; each (rows,)."""
    types: Mapping[str, pl.DataType] = field(default_factory=dict)
    """Of the columns whose cells are lists: what is in them."""


@dataclass(frozen=True, kw_only=True)
class OutputPlan(ABC):
    """Settings of one output layer."""

    kind: ClassVar[str]
    """The kind of answer; also its name in a plan."""
    accepts: ClassVar[tuple[Form, ...]] = ("vector",)
    """Forms of features that `build` takes; `network/build` adapts others where that is possible."""
    looks_back: ClassVar[bool] = False
    """Whether a token's features must know nothing of those behind it: hidden layers have to be causal."""
    column: str
    """The column to predict."""
    weight: float = 1.0
    """How much this output's loss counts beside the others'."""
    from_: str = "hidden"
    """Which features it reads: `hidden`, or the name of an input or a trunk. Written `from` in a plan."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that targets are made of."""
        return (self.column,)

    @abstractmethod
    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """What must be known before a layer can be built, from one pass over training rows and no others.

        Raises:
            DataError: if the column cannot be predicted: a single class, only gaps, infinities.
        """

    @abstractmethod
    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """Cells of the column as targets; a gap or a value that cannot be a target is named in `Block.problems`."""

    @abstractmethod
    def build(self, facts: Facts, shape: Shape) -> "OutputLayer":
        """The layer for features of this shape."""


class OutputLayer(nn.Module, ABC):
    """Features -> raw scores -> loss, answers, metrics."""

    follows: ClassVar[frozenset[str]] = frozenset()
    """Names of the geometry that `follow` can adapt targets to."""
    judged_by_targets: ClassVar[bool] = False
    """Whether rows are judged by raw scores that were made with their targets: how likely those are."""
    writes: ClassVar[bool] = False
    """Whether answers are written token by token, which takes too long to judge by while training goes on."""
    chooses: ClassVar[str | None] = None
    """The metric by which weights are chosen, where the one that decides takes written answers."""
    decides: str
    """The metric by which validation chooses, as a key of `metrics`."""
    shown: Shape | None = None
    """What it makes, for a critic to look at: the shape of raw scores without batch and members; None where nobody
    could."""

    @abstractmethod
    def forward(self, features: Features, targets: Values | None = None) -> Tensor:
        """Raw scores; with a member dimension after the batch, of size 1 when there is a single network.

        Args:
            features: what `build` was told of.
            targets: only for outputs that are fed their own targets in training; others ignore it.
        """

    @abstractmethod
    def loss(self, raw: Tensor, targets: Values, weight: Tensor | None = None) -> Loss:
        """The loss of a batch as sum and count; `weight` is (batch,)."""

    @abstractmethod
    def decode(self, raw: Tensor, context: Mapping[str, pl.Series]) -> Answers:
        """Answers with confidence.

        Args:
            raw: as `forward` gave it.
            context: cells of these rows by column, as far as they are there, for answers that speak of them.
        """

    @abstractmethod
    def metrics(self) -> Mapping[str, Metric]:
        """Every metric that fits the data, by key; `decides` names one of them."""

    def shows(self, targets: Values, raw: Tensor) -> Tensor:
        """Targets as a critic looks at them, beside raw scores of these rows; for outputs with `shown`."""
        raise TypeError(f"{type(self).__name__} makes nothing that a critic could look at")

    def take_head(self, weights: Mapping[str, Tensor]) -> bool:
        """Take over the last layer of a published network (weight (classes, width), bias), if it fits.

        Returns:
            Whether it fitted.
        """
        return False

    def calibrate(self, raw: Tensor, targets: Values) -> None:
        """Make confidences honest, from raw scores on validation rows; changes buffers only."""

    def follow(self, targets: Values, geometry: Geometry) -> Values:
        """Targets after an augmentation moved or mirrored the inputs.

        Raises:
            PlanError: when the answer would change in a way that this output cannot work out.
        """
        stray = set(geometry) - self.follows
        if stray:
            raise PlanError(f"This output cannot follow {sorted(stray)[0]!r}: turn that augmentation off.")
        return targets
