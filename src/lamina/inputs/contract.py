"""What every way in must keep: settings -> facts -> layer.

`prepare` does only what no tensor operation can (decoding, look-up). Scaling, gaps and normalising happen in
`forward`, from buffers, so that an exported network contains them.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from lamina.data.batch import WHOLE, Block, Chunk, Facts, Place, Values
from lamina.ground.config import to_plain
from lamina.ground.shapes import Features, Geometry, Shape


@dataclass(frozen=True, kw_only=True)
class InputPlan(ABC):
    """Settings of one input layer; subclasses add theirs and a default for each."""

    kind: ClassVar[str]
    """The kind of column that this layer takes; also its name in a plan."""
    columns: tuple[str, ...]
    """The columns it reads, in order. Numbers share one layer, categories another; a picture has its own."""
    trunk: str | None = None
    """The hidden layers to pass before inputs are joined; inputs that name the same trunk share its weights."""

    @abstractmethod
    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """What must be known before a layer can be built, from one pass over training rows and no others.

        Raises:
            DataError: if the rows hold nothing that can be learned from.
        """

    @abstractmethod
    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """Cells as compact arrays, done once and kept in the store; an entry for each row of the chunk.

        An entry that cannot be read is named in `Block.problems`; its values are zeros.
        """

    def depends_on(self, facts: Facts) -> object:
        """Everything beside the cells that changes what `prepare` makes, as plain values: the store's key.

        All settings and facts, unless a layer knows better: pictures need not be decoded anew because they are to be
        mirrored.
        """
        return [to_plain(self), {name: _plain(value) for name, value in facts.items()}]

    @abstractmethod
    def build(self, facts: Facts) -> "InputLayer":
        """The layer, with what was learned in its buffers."""


def _plain(value: object) -> object:
    return hashlib.sha256(value.tobytes()).hexdigest() if isinstance(value, np.ndarray) else value


class InputLayer(nn.Module, ABC):
    """Arrays -> Features."""

    one_rate: ClassVar[frozenset[str]] = frozenset()
    """Own parameters of which optimizers with a rate for each number (adam and its kin) take one rate for all."""
    shape: Shape
    """What `forward` gives."""
    note: str = ""
    """What was found out and decided, where there was a choice."""

    @abstractmethod
    def forward(self, values: Values) -> Features:
        """Prepared values of a batch, as `prepare` made them, to features."""

    def augment(self, values: Values, generator: torch.Generator, place: Place = WHOLE) -> tuple[Values, Geometry]:
        """Values varied in ways that keep their meaning (training only), and the geometry that was applied.

        Works on all rows at once; draws from `generator` only, and for the whole batch that `place` speaks of: so a
        row is varied alike however the batch is divided. Without augmentation: values unchanged, {}.
        """
        return values, {}

    def take_vectors(self, vectors: Tensor, learns: bool) -> bool:
        """Take over the vectors (tokens, width) of a published encoder, to learn on or to be kept.

        Returns:
            Whether this layer has tokens of a published vocabulary.

        Raises:
            PlanError: if it has, but of another number or width.
        """
        return False

    def views(self, values: Values) -> list[Values]:
        """Several looks at the same rows, whose answers are averaged once training is over; by default only one."""
        return [values]
