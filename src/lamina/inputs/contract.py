"""What every way in must keep: settings -> facts -> layer.

`prepare` does only what no tensor operation can (decoding, look-up). Scaling, gaps and normalising happen in
`forward`, from buffers, so that an exported network contains them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from lamina.data.batch import Block, Chunk, Facts, Values
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

    @abstractmethod
    def build(self, facts: Facts) -> "InputLayer":
        """The layer, with what was learned in its buffers."""


class InputLayer(nn.Module, ABC):
    """Arrays -> Features."""

    shape: Shape
    """What `forward` gives."""

    @abstractmethod
    def forward(self, values: Values) -> Features:
        """Prepared values of a batch, as `prepare` made them, to features."""

    def augment(self, values: Values, generator: torch.Generator) -> tuple[Values, Geometry]:
        """Values varied in ways that keep their meaning (training only), and the geometry that was applied.

        Works on the whole batch at once; draws from `generator` only. Without augmentation: values unchanged, {}.
        """
        return values, {}
