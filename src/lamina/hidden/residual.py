"""The dense network for tables: several slightly different networks in one, each layer added to what came before."""

import itertools
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.ground.errors import PlanError, ShapeError
from lamina.ground.shapes import Features, Form, Shape, vector
from lamina.hidden.activations import ActivationName, activation
from lamina.hidden.contract import HiddenLayer, HiddenPlan


@dataclass(frozen=True, kw_only=True)
class ResidualPlan(HiddenPlan):
    """Dense layers shared by members that each see the features through scales of their own.

    Gorishniy, Kotelnikov and Babenko 2024, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
    Ensembling" (TabM-mini), with a connection around every layer but the first. Members have a head each in the
    output layer; their mean answers, which is worth more than any one of them.
    """

    name: ClassVar[str] = "residual"
    accepts: ClassVar[tuple[Form, ...]] = ("vector",)

    width: int = 128
    """Numbers after every layer."""
    num_layers: int = 3
    """Dense layers."""
    members: int = 8
    """Networks that share the layers; 1 is a single one. Features that come with members keep theirs."""
    activation: ActivationName = "relu"
    """What follows each layer."""
    dropout: float = 0.0
    """Share of each layer's numbers left out at random in training. It harms regression: trained on widened sums,
    the network then answers from narrower ones (measured: docs/lab-notes.md)."""

    def __post_init__(self) -> None:
        for setting in ("width", "num_layers", "members"):
            if (value := getattr(self, setting)) < 1:
                raise PlanError(f"residual: {setting} is {value}; it must be at least 1.")
        if not 0 <= self.dropout < 1:
            raise PlanError(f"residual: dropout is {self.dropout}; it must be at least 0 and below 1.")

    def build(self, shape: Shape) -> "ResidualLayer":
        """The layers for vectors of this width.

        Raises:
            ShapeError: if the features are no vector; `adapters.adapt` makes one.
        """
        if shape.form != "vector":
            raise ShapeError(f"residual takes a vector, but gets {shape} ({shape.form}): pool or flatten it first.")
        return ResidualLayer(shape, self)


class ResidualLayer(HiddenLayer):
    """(batch, width in) or (batch, members, width in) -> (batch, members, width); without members for a single one."""

    signs: Tensor

    def __init__(self, shape: Shape, plan: ResidualPlan):
        super().__init__()
        members = shape.members or plan.members
        single = shape.members is None and members == 1
        self.shape = Shape("vector", plan.width, members=None if single else members)
        self._dropout = plan.dropout
        # Each member reads the features through random signs, which make it differ, times a scale that it learns.
        # Stored as the difference from 1, so that weight decay draws scales to 1 and not to 0. The empty middle
        # dimension says that this is a scale for each row and no matrix between layers, which Muon would turn.
        signs = torch.ones(members, shape.width) if single else _signs(members, shape.width)
        self.register_buffer("signs", signs)
        self.scales = None if single else nn.Parameter(torch.zeros(members, 1, shape.width))
        widths = [shape.width] + [plan.width] * plan.num_layers
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in itertools.pairwise(widths))
        self.activation = activation(plan.activation)

    def forward(self, features: Features) -> Features:
        values = features.values
        if self.scales is not None:
            values = values if values.dim() == 3 else values[:, None]
            values = values * (self.signs * (1 + self.scales[:, 0]))  # (batch, members, width in)
        first, *others = self.layers
        values = self._drop(self.activation(first(values)))
        for layer in others:
            values = values + self._drop(self.activation(layer(values)))
        return vector(values)

    def _drop(self, values: Tensor) -> Tensor:
        """Dropout that leaves out the same numbers of all members: drawing for each costs as much as the layers."""
        if not (self.training and self._dropout):
            return values
        members_alike = values.new_ones(len(values), *[1] * (values.dim() - 2), values.shape[-1])
        return values * functional.dropout(members_alike, self._dropout)


def _signs(members: int, width: int) -> Tensor:
    return torch.randint(0, 2, (members, width)).float() * 2 - 1
