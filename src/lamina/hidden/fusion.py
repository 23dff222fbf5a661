"""Several inputs into one vector: a picture plus numbers plus a text, for example."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from lamina.ground.errors import PlanError, ShapeError, listing
from lamina.ground.shapes import Features, Form, Shape, vector
from lamina.hidden.activations import ActivationName, activation, gain
from lamina.hidden.contract import HiddenLayer, JoiningPlan


@dataclass(frozen=True, kw_only=True)
class FusionPlan(JoiningPlan):
    """Each input at a common width, put side by side, then mixed by residual layers.

    An input keeps its say whether it is 3 numbers or 2,048: each is projected and normalised first.
    """

    name: ClassVar[str] = "fusion"
    accepts: ClassVar[tuple[Form, ...]] = ("vector",)

    width: int = 256
    """Width of every input's projection, and of the answer."""
    num_layers: int = 2
    """Residual layers after the inputs are joined; 0 joins only."""
    activation: ActivationName = "gelu"
    """Inside the residual layers."""
    dropout: float = 0.1
    """Share of numbers inside the residual layers that are left out at random in training."""
    gated: bool = False
    """Whether each input is weighed, number by number, by what all of them say (Arevalo et al. 2017)."""
    input_dropout: float = 0.0
    """Chance that a whole input is left out of a row in training, so that none is relied on alone (Neverova 2016)."""

    def __post_init__(self) -> None:
        for setting, least in (("width", 1), ("num_layers", 0)):
            if (value := getattr(self, setting)) < least:
                raise PlanError(f"fusion: {setting} is {value}; it must be at least {least}.")
        for setting in ("dropout", "input_dropout"):
            if not 0 <= (share := getattr(self, setting)) < 1:
                raise PlanError(f"fusion: {setting} is {share}; it must be at least 0 and below 1.")

    def build(self, shape: Shape) -> "FusionLayer":
        """The layers for a single input, whose features may be given without a name.

        Raises:
            ShapeError: if the features are no vector; `adapters.adapt` makes one.
        """
        return self.build_many({"features": shape})

    def build_many(self, shapes: Mapping[str, Shape]) -> "FusionLayer":
        """The layers for several inputs, by name.

        With members (networks side by side) every member has weights of its own; an input without them is given to
        each member alike.

        Raises:
            ShapeError: if an input is no vector, or inputs differ in their number of members.
        """
        if not shapes:
            raise ShapeError("fusion joins inputs, but there are none.")
        for name, shape in shapes.items():
            if shape.form != "vector":
                raise ShapeError(f"fusion joins vectors, but input {name!r} gives {shape} ({shape.form}).")
        members = {name: shape.members for name, shape in shapes.items() if shape.members is not None}
        if len(set(members.values())) > 1:
            seen = listing(f"{name} has {count}" for name, count in members.items())
            raise ShapeError(f"fusion joins inputs of one number of networks side by side, but {seen}.")
        widths = {name: shape.width for name, shape in shapes.items()}
        return FusionLayer(widths, self, next(iter(members.values()), None))


class FusionLayer(HiddenLayer):
    """Named vectors -> one vector.

    Each input is (batch, width of its own) or (batch, members, width of its own); the answer is (batch, width) or
    (batch, members, width).
    """

    takes_many = True
    names: tuple[str, ...]
    """The inputs, in the order in which they are joined."""

    def __init__(self, widths: Mapping[str, int], plan: FusionPlan, members: int | None):
        super().__init__()
        self.names = tuple(widths)
        self.shape = Shape("vector", plan.width, members=members)
        self._input_dropout = plan.input_dropout
        joined = len(widths) * plan.width
        # A list in the order of `names`: a dict of modules would refuse columns called `type` or `a.b`.
        projections = [_Dense(width, plan.width, members) for width in widths.values()]
        for projection in projections:
            # Normalising keeps a direction only; beside a random constant even a single number keeps its size.
            nn.init.normal_(projection.bias)
        self.projections = nn.ModuleList(projections)
        self.gate = _Dense(joined, joined, members) if plan.gated else None
        self.join = _Dense(joined, plan.width, members)
        self.blocks = nn.ModuleList(_Residual(plan, members) for _ in range(plan.num_layers))

    def forward(self, features: Features | Mapping[str, Features]) -> Features:
        """One vector of all inputs.

        Args:
            features: by the names that the layer was built for; further ones are not looked at. Without a name if
                it was built for one input.

        Raises:
            ShapeError: if an input is missing.
        """
        named = {self.names[0]: features} if isinstance(features, Features) and len(self.names) == 1 else features
        if isinstance(named, Features) or (missing := [name for name in self.names if name not in named]):
            seen = "one without a name" if isinstance(named, Features) else listing(named) or "nothing"
            wanted = listing(self.names if isinstance(named, Features) else missing)
            raise ShapeError(f"fusion joins {listing(self.names)}, but was given {seen}: {wanted} missing.")
        projected = [
            _normalised(project(self._with_members(named[name].values)))
            for name, project in zip(self.names, self.projections, strict=True)
        ]
        values = torch.stack(projected, -2)  # (batch, [members,] inputs, width)
        if self.training and self._input_dropout > 0:
            values = values * self._kept(values)
        values = values.flatten(-2)  # (batch, [members,] inputs * width)
        if self.gate is not None:
            values = values * torch.sigmoid(self.gate(values))
        values = self.join(values)
        for block in self.blocks:
            values = block(values)
        return vector(values)

    def _with_members(self, values: Tensor) -> Tensor:
        if self.shape.members is None or values.ndim == 3:
            return values
        return values.unsqueeze(1).expand(-1, self.shape.members, -1)  # (batch, width) -> (batch, members, width)

    def _kept(self, values: Tensor) -> Tensor:
        """1 for inputs that stay in a row and 0 for others, shaped (batch, [members,] inputs, 1); one always stays."""
        luck = torch.rand(values.shape[:-1], device=values.device)
        kept = (luck >= self._input_dropout) | (luck == luck.amax(-1, keepdim=True))
        return kept.unsqueeze(-1).to(values.dtype)


class _Residual(nn.Module):
    """values + dense(dropout(activation(dense(normalised values)))): shape kept."""

    def __init__(self, plan: FusionPlan, members: int | None):
        super().__init__()
        self.first = _Dense(plan.width, plan.width, members, scale=gain(plan.activation))
        self.activation = activation(plan.activation)
        self.dropout = nn.Dropout(plan.dropout)
        self.second = _Dense(plan.width, plan.width, members)

    def forward(self, values: Tensor) -> Tensor:
        inner = self.activation(self.first(_normalised(values)))
        return values + self.second(self.dropout(inner))


class _Dense(nn.Module):
    """A dense layer; with members, one for each of them: (batch, members, in) -> (batch, members, out)."""

    def __init__(self, in_width: int, out_width: int, members: int | None, scale: float = 1.0):
        super().__init__()
        several = () if members is None else (members,)
        self.weight = nn.Parameter(torch.empty(*several, out_width, in_width))
        self.bias = nn.Parameter(torch.zeros(*several, out_width))
        nn.init.normal_(self.weight, std=scale / math.sqrt(in_width))

    def forward(self, values: Tensor) -> Tensor:
        if self.weight.ndim == 2:
            return nn.functional.linear(values, self.weight, self.bias)
        # One product for all members: (members, batch, in) @ (members, in, out).
        return torch.matmul(values.transpose(0, 1), self.weight.mT).transpose(0, 1) + self.bias


def _normalised(values: Tensor) -> Tensor:
    # No scale and shift of its own: a dense layer follows, which has both, and members then share nothing.
    return nn.functional.layer_norm(values, values.shape[-1:])
