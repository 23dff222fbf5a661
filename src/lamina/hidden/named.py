"""What the named convolutional networks share: published weights, freezing, and the checks before building."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from torch import nn

from lamina.ground.errors import PlanError, ShapeError
from lamina.ground.shapes import Form, Shape
from lamina.hidden.activations import ActivationName, InitialisationName, initialise
from lamina.hidden.contract import HiddenLayer, HiddenPlan, check_pictures
from lamina.hidden.pretrained import Report, load_weights

SMALL_SIDE = 96
"""Pictures with a side below this pass the first layer of large-picture networks without being made smaller."""


@dataclass(frozen=True, kw_only=True)
class NamedPlan(HiddenPlan):
    """Settings of every named network."""

    accepts: ClassVar[tuple[Form, ...]] = ("grid",)
    smallest: ClassVar[int]
    """The smallest side of a picture that leaves every layer something to see."""

    activation: ActivationName = "relu"
    """What follows each layer."""
    initialisation: InitialisationName = "kaiming"
    """How the first weights are drawn, where none are loaded."""
    dropout: float = 0.0
    """Share of a dense layer's inputs that are left out at random in training."""
    weights: str | None = None
    """A local .safetensors or .pth file with weights to start from."""
    freeze: int = 0
    """Leading stages that keep their weights; 0 trains all."""

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise PlanError(f"{self.name}: dropout is {self.dropout}; it must be at least 0 and below 1.")

    def build(self, shape: Shape) -> "NamedNetwork":
        """The network for pictures of this shape: drawn, filled from `weights`, its leading stages frozen.

        On the meta device, where tensors hold no numbers, `weights` is not read.

        Raises:
            ShapeError: if the features are no grid of (height, width), or a side is below `smallest`.
            PlanError: if the weights cannot be read or do not fit, or `freeze` exceeds the stages.
        """
        check_pictures(self, shape)
        if min(shape.space) < self.smallest:
            raise ShapeError(
                f"{self.name} takes pictures from {self.smallest} x {self.smallest}, but gets {shape}. "
                "Enlarge the pictures, or take layers for smaller ones: resnet18 takes them from 8 x 8."
            )
        network = self.network(shape)
        initialise(network, self.initialisation, self.activation)
        if self.weights is not None and not any(parameter.is_meta for parameter in network.parameters()):
            network.pretrained = load_weights(network, self.weights, head=network.head)
        network.freeze(self.freeze, self.name)
        return network

    @abstractmethod
    def network(self, shape: Shape) -> "NamedNetwork":
        """The bare network for a shape that was checked."""


class NamedNetwork(HiddenLayer):
    """Pictures -> one vector of features, with parameters named as in the published weights.

    It ends before the published network's last dense layer, whose place the output layer takes.
    """

    head: ClassVar[str | None] = None
    """The name of the last dense layer in published weights, None if there are none."""
    pretrained: Report | None = None
    """What was loaded, if anything; its `head` is offered to the output layer (`fill_head`)."""
    _frozen: int = 0

    @abstractmethod
    def stages(self) -> Sequence[Sequence[nn.Module]]:
        """The modules that hold the parameters, from the picture on, in the groups that `freeze` counts."""

    def freeze(self, count: int, name: str) -> None:
        """Keep the weights of the first `count` stages as they are.

        Raises:
            PlanError: if there are not as many stages; `name` is the network's, for the message.
        """
        stages = self.stages()
        if not 0 <= count <= len(stages):
            raise PlanError(f"{name}: freeze is {count}, but the network has {len(stages)} stages (0 trains all).")
        self._frozen = count
        for stage in stages[:count]:
            for module in stage:
                module.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As `nn.Module.train`, but frozen stages stay in evaluation mode, or batch norm would go on learning."""
        super().train(mode)
        for stage in self.stages()[: self._frozen]:
            for module in stage:
                module.eval()
        return self
