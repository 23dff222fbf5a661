"""A plain stack of dense layers, with every choice open: for teaching, for comparison and for one's own ideas."""

import itertools
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from lamina.ground.errors import PlanError, ShapeError
from lamina.ground.shapes import Features, Form, Shape, vector
from lamina.hidden.activations import ActivationName, InitialisationName, activation, initialise
from lamina.hidden.contract import HiddenLayer, HiddenPlan


@dataclass(frozen=True, kw_only=True)
class MLPPlan(HiddenPlan):
    """A multilayer perceptron: dense layer, normalisation, activation, dropout, as often as wanted."""

    name: ClassVar[str] = "mlp"
    accepts: ClassVar[tuple[Form, ...]] = ("vector",)

    width: int | tuple[int, ...] = 128
    """Numbers after every layer, or after each one: [512, 256, 10]; their count then is the depth."""
    num_layers: int = 2
    """Dense layers, when `width` is a single number."""
    activation: ActivationName = "relu"
    """What follows each layer."""
    normalisation: Literal["none", "batch", "layer"] = "none"
    """What a layer's numbers are brought to mean 0 and deviation 1 over: the batch, or the layer of each row."""
    dropout: float = 0.0
    """Share of each layer's numbers that are left out at random in training."""
    initialisation: InitialisationName = "kaiming"
    """How the first weights are drawn."""

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1:
            raise PlanError(f"mlp: width is {self.width} and num_layers {self.num_layers}; both must be at least 1.")
        if not 0 <= self.dropout < 1:
            raise PlanError(f"mlp: dropout is {self.dropout}; it must be at least 0 and below 1.")

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers after each layer."""
        return (self.width,) * self.num_layers if isinstance(self.width, int) else self.width

    @property
    def couples_rows(self) -> bool:  # type: ignore[override]  # here it hangs on a setting
        """Whether layers are normalised over the batch."""
        return self.normalisation == "batch"

    def build(self, shape: Shape) -> "MLPLayer":
        """The layers for vectors of this width; several members share them.

        Raises:
            ShapeError: if the features are no vector; `adapters.adapt` makes one.
        """
        if shape.form != "vector":
            raise ShapeError(f"mlp takes a vector, but gets {shape} ({shape.form}): pool or flatten it first.")
        return MLPLayer(shape, self)


class MLPLayer(HiddenLayer):
    """(batch, [members,] width in) -> (batch, [members,] width of the last layer)."""

    def __init__(self, shape: Shape, plan: MLPPlan):
        super().__init__()
        widths = (shape.width, *plan.widths)
        self.shape = shape.with_width(widths[-1])
        # A normalisation has a shift of its own; a bias before it would change nothing.
        bias = plan.normalisation == "none"
        blocks: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            blocks += [nn.Linear(before, after, bias=bias)]
            if plan.normalisation != "none":
                blocks += [nn.BatchNorm1d(after) if plan.normalisation == "batch" else nn.LayerNorm(after)]
            # In place, for what is before it needs its own answer for nothing: a twentieth of the time.
            blocks += [nn.ReLU(inplace=True) if plan.activation == "relu" else activation(plan.activation)]
            blocks += [nn.Dropout(plan.dropout)] if plan.dropout else []
        self.layers = nn.Sequential(*blocks)
        initialise(self.layers, plan.initialisation, plan.activation)

    def forward(self, features: Features) -> Features:
        values = features.values
        answers = self.layers(values.flatten(0, -2))  # (batch * members, width): batch norm takes rows only
        return vector(answers.unflatten(0, values.shape[:-1]))
