"""The critic of a network that makes things: what was made, and what was asked for, to one score each."""

from typing import cast

import torch
from torch import Tensor, nn

from lamina.ground import Features, PlanError, Shape
from lamina.hidden import HiddenLayer, HiddenPlan
from lamina.network.build import Layer
from lamina.network.network import Network
from lamina.network.plan import Plan

_DARKEST, _RANGE = 16.0, 219.0
"""Brightness of television, to which that of photos is kept, as whole numbers."""
_MEAN, _DEVIATION = 0.449, 0.226
"""Of ImageNet's pictures in grey, by which published weights expect pictures to be normalised."""


class Critic(nn.Module):
    """Hidden layers, a score of how real something looks, and one of how well it fits what was asked for.

    The second is the projection of Miyato and Koyama (2018), "cGANs with projection discriminator".
    """

    def __init__(self, body: HiddenLayer, shown: Shape, asked: int):
        """Score what `body` makes of what it is shown; `asked` numbers say what was asked for, 0 when nothing is."""
        super().__init__()
        self.body = body
        self.shown = shown
        self.score = nn.Linear(body.shape.width, 1)
        self.fit = nn.Linear(asked, body.shape.width, bias=False) if asked else None

    def look(self, shown: Tensor) -> Features:
        """What the layers make of (batch, ...), pictures from -1 to 1 for example."""
        return self.body(Features(self.shown.form, shown))

    def scores(self, seen: Features, asked: Tensor | None) -> Tensor:
        """(batch,) scores of what was seen, higher for what looks real; `asked` is (batch, numbers) or None."""
        scores = self.score(seen.values)[:, 0]
        if self.fit is None:
            return scores
        assert asked is not None
        return scores + (seen.values * self.fit(asked)).mean(1) * seen.values.shape[1] ** 0.5

    def forward(self, shown: Tensor, asked: Tensor | None) -> Tensor:
        """(batch,) scores of what is shown."""
        return self.scores(self.look(shown), asked)


def build_critic(plan: Plan, network: Network) -> tuple[Critic, Layer]:
    """The critic of a plan, with random weights that depend on the plan's seed alone, and its line in the table.

    Args:
        plan: with hidden layers under `players.critic`.
        network: what makes the things.

    Raises:
        PlanError, ShapeError: if the plan has no critic, or one that cannot take such things.
    """
    if "critic" not in plan.players or len(plan.outputs) != 1:
        raise PlanError("training.objective: `adversarial` needs hidden layers under players.critic, and one output.")
    (output,) = network.outputs.values()
    part, shown = plan.players["critic"], output.shown
    if shown is None or shown.form not in part.accepts:
        what = "makes nothing to look at" if shown is None else f"makes a {shown.form}"
        raise PlanError(
            f"training.objective: `adversarial` needs a critic that takes what the output makes; it {what}, and "
            f"{part.name} takes {', '.join(part.accepts)}."
        )
    asked = sum(layer.shape.width for name, layer in network.inputs.items() if plan.inputs[name].kind == "category")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.training.seed + 1)
        body = part.build(shown)
        if body.shape.form != "vector":
            raise PlanError(f"players.critic: {part.name} gives a {body.shape.form}; a critic comes to a vector.")
        critic = Critic(body, shown, asked)
    return critic, _line("critic", part, critic, "score")


class Perception(nn.Module):
    """Layers with published weights, in whose features pictures are compared (Johnson et al. 2016)."""

    def __init__(self, body: HiddenLayer):
        """Look with `body`, which takes three channels and hands on its scales."""
        super().__init__()
        self.body = body.requires_grad_(False).eval()

    def look(self, shown: Tensor) -> Features:
        """Features of brightness (batch, 1, height, width) from -1 to 1, at several scales."""
        grey = ((shown + 1) * 127.5 - _DARKEST) / _RANGE
        return self.body(Features("grid", ((grey - _MEAN) / _DEVIATION).expand(-1, 3, -1, -1)))


def build_perception(plan: Plan, network: Network) -> tuple[Perception, Layer] | None:
    """What compares pictures by their features, and its line in the table; None where the plan has none.

    Raises:
        PlanError, ShapeError: if the layers have no weights, no scales, or cannot take such pictures.
    """
    part = plan.players.get("perception")
    if part is None:
        return None
    (output,) = network.outputs.values()
    if getattr(part, "weights", None) is None:
        raise PlanError("players.perception: layers that never learned see nothing. Name a network with published "
                        "weights: players.perception.name=vgg19 players.perception.weights=vgg19.pth")  # fmt: skip
    body = part.build(Shape("grid", 3, cast(Shape, output.shown).space))
    if not body.shape.strides:
        raise PlanError(f"players.perception: {part.name} hands on no scales to compare; take vgg19 or resnet18.")
    perception = Perception(body)
    return perception, _line("perception", part, perception, "not taught")


def _line(name: str, part: HiddenPlan, module: nn.Module, shape: str) -> Layer:
    return Layer(f"players.{name}", part.name, shape, sum(parameter.numel() for parameter in module.parameters()))
