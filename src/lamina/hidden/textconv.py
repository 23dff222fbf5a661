"""Convolutions over a sequence: phrases of a few tokens, wherever they stand."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from lamina.ground.errors import PlanError
from lamina.ground.shapes import Features, Form, Shape, vector
from lamina.hidden.activations import ActivationName, activation
from lamina.hidden.contract import HiddenLayer, HiddenPlan


@dataclass(frozen=True, kw_only=True)
class TextConvPlan(HiddenPlan):
    """Filters over phrases of several lengths, of each the strongest answer in the text.

    Kim 2014, "Convolutional Neural Networks for Sentence Classification".
    """

    name: ClassVar[str] = "textconv"
    accepts: ClassVar[tuple[Form, ...]] = ("tokens",)

    width: int = 100
    """Filters of each length."""
    windows: tuple[int, ...] = (3, 4, 5)
    """Lengths of phrases, in tokens."""
    activation: ActivationName = "relu"
    """What follows each filter."""
    dropout: float = 0.5
    """Share of the answer's numbers that are left out at random in training."""

    def __post_init__(self) -> None:
        if self.width < 1 or not self.windows or min(self.windows) < 1:
            raise PlanError(f"textconv: width is {self.width} and windows {self.windows}; all must be at least 1.")
        if not 0 <= self.dropout < 1:
            raise PlanError(f"textconv: dropout is {self.dropout}; it must be at least 0 and below 1.")

    def build(self, shape: Shape) -> "TextConvLayer":
        """The filters for tokens of this width."""
        return TextConvLayer(self, shape)


class TextConvLayer(HiddenLayer):
    """(batch, tokens, width) -> (batch, filters of all lengths)."""

    def __init__(self, plan: TextConvPlan, shape: Shape):
        """Filters as the plan says for tokens of `shape`."""
        super().__init__()
        self.filters = nn.ModuleList(
            nn.Conv1d(shape.width, plan.width, window, padding=window // 2) for window in plan.windows
        )
        self.activation, self.dropout = activation(plan.activation), nn.Dropout(plan.dropout)
        self.shape = Shape("vector", plan.width * len(plan.windows))

    def forward(self, features: Features) -> Features:
        values, lengths = features.values, features.lengths
        true = None
        if lengths is not None:
            places = torch.arange(values.shape[1], device=values.device)
            true = (places < lengths.clamp(min=1)[:, None])[:, None]  # (batch, 1, tokens)
            values = torch.where(true.transpose(1, 2), values, 0)
        found = []
        for convolution in self.filters:
            answers = self.activation(convolution(values.transpose(1, 2)))[:, :, : values.shape[1]]
            found.append((answers if true is None else answers.masked_fill(~true, -torch.inf)).amax(2))
        return vector(self.dropout(torch.cat(found, 1)))
