"""What every network between inputs and outputs must keep: features -> features."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor, nn

from lamina.ground.errors import PlanError, ShapeError
from lamina.ground.shapes import Features, Form, Shape


@dataclass(frozen=True, kw_only=True)
class HiddenPlan(ABC):
    """Settings of hidden layers; subclasses add theirs, each with the best known default."""

    name: ClassVar[str]
    """The name in a plan and in `HIDDEN`."""
    accepts: ClassVar[tuple[Form, ...]]
    """Forms of features that `build` takes; `network/build` adapts others where that is possible."""
    couples_rows: ClassVar[bool] = False
    """Whether rows of a batch influence each other in training (batch norm): splitting a batch is then not equal."""

    @abstractmethod
    def build(self, shape: Shape) -> "HiddenLayer":
        """The layers for features of this shape.

        Raises:
            ShapeError: if the features are too small, or of a form that the layers cannot take.
        """


@dataclass(frozen=True, kw_only=True)
class JoiningPlan(HiddenPlan):
    """Hidden layers that take several inputs by name; any others are given them end to end."""

    @abstractmethod
    def build_many(self, shapes: Mapping[str, Shape]) -> "HiddenLayer":
        """The layers for vectors of these shapes.

        Raises:
            ShapeError: if an input is no vector, or they do not fit each other.
        """


def check_counts(part: HiddenPlan, *names: str) -> None:
    """That these settings are at least 1, where they are given.

    Raises:
        PlanError: if one is not.
    """
    for name in names:
        if (value := getattr(part, name)) is not None and value < 1:
            raise PlanError(f"{part.name}: {name} is {value}; it must be at least 1.")


def check_pictures(part: HiddenPlan, shape: Shape) -> None:
    """That features are those of pictures.

    Raises:
        ShapeError: if they are no grid of (height, width).
    """
    if shape.form != "grid" or len(shape.space) != 2:
        raise ShapeError(f"{part.name} takes pictures, a grid of (height, width), but gets {shape} ({shape.form}).")


State = tuple[Tensor, ...]
"""What causal layers remember of the tokens so far; the first dimension of each tensor is the batch."""
Step = Callable[[np.ndarray], np.ndarray]
"""What layers make of one more token of a text, (width,); the next call may write over what it gave."""


class HiddenLayer(nn.Module, ABC):
    """Features -> Features."""

    shape: Shape
    """What `forward` gives."""
    takes_many: bool = False
    """Whether `forward` takes features of several inputs by name."""
    causal: bool = False
    """Whether no token sees those behind it, so that a text can be read on: `go_on`."""

    @abstractmethod
    def forward(self, features: Features) -> Features:
        """Features of a batch through the layers."""

    def go_on(self, features: Features, state: State | None) -> tuple[Features, State]:
        """Causal layers only: tokens of equal number that follow those read before, and the state after them.

        Args:
            features: (batch, tokens, width), none of it padding.
            state: what an earlier call gave; None at the beginning.
        """
        raise TypeError(f"{type(self).__name__} looks ahead: it cannot read on")

    def alone(self) -> Callable[[State], Step] | None:
        """Causal layers only, on a processor, that learn no more: one text read on in NumPy, from any state of one row.

        A token is so little work that calls are what it costs, and those of NumPy cost a third of PyTorch's. None
        where layers have no such way; `go_on` then does it.
        """
        return None
