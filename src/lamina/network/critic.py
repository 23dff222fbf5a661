"""The critic of a network that makes pictures: pictures, and what was asked for, to one score each."""

import torch
from torch import Tensor, nn

from lamina.ground import PlanError, grid
from lamina.hidden import HiddenLayer
from lamina.network.build import Layer
from lamina.network.network import Network
from lamina.network.plan import Plan
from lamina.outputs import ImageAnswer


class Critic(nn.Module):
    """Hidden layers, a score of how real a picture looks, and one of how well it fits what was asked for.

    The second is the projection of Miyato and Koyama (2018), "cGANs with projection discriminator".
    """

    def __init__(self, body: HiddenLayer, asked: int):
        """Score what `body` makes of pictures; `asked` numbers say what was asked for, 0 when nothing is."""
        super().__init__()
        self.body = body
        self.score = nn.Linear(body.shape.width, 1)
        self.fit = nn.Linear(asked, body.shape.width, bias=False) if asked else None

    def forward(self, pictures: Tensor, asked: Tensor | None) -> Tensor:
        """(batch,) scores, higher for what looks real.

        Args:
            pictures: (batch, channels, height, width), from -1 to 1.
            asked: (batch, numbers), or None when nothing is asked for.
        """
        features = self.body(grid(pictures)).values
        scores = self.score(features)[:, 0]
        if self.fit is None:
            return scores
        assert asked is not None
        return scores + (features * self.fit(asked)).mean(1) * features.shape[1] ** 0.5


def build_critic(plan: Plan, network: Network) -> tuple[Critic, Layer]:
    """The critic of a plan, with random weights that depend on the plan's seed alone, and its line in the table.

    Args:
        plan: with hidden layers under `players.critic`.
        network: what makes the pictures.

    Raises:
        PlanError, ShapeError: if the plan has no critic, or one that cannot take such pictures.
    """
    if "critic" not in plan.players or len(plan.outputs) != 1:
        raise PlanError("training.objective: `adversarial` needs hidden layers under players.critic, and one output.")
    (output,) = network.outputs.values()
    part = plan.players["critic"]
    if not isinstance(output, ImageAnswer) or "grid" not in part.accepts:
        raise PlanError("training.objective: `adversarial` makes pictures: it needs an output of kind image, and a "
                        f"critic that takes a grid; {part.name} does not.")  # fmt: skip
    asked = sum(layer.shape.width for name, layer in network.inputs.items() if plan.inputs[name].kind != "noise")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.training.seed + 1)
        body = part.build(output.picture)
        if body.shape.form != "vector":
            raise PlanError(f"players.critic: {part.name} gives a {body.shape.form}; a critic comes to a vector.")
        critic = Critic(body, asked)
    count = sum(parameter.numel() for parameter in critic.parameters())
    return critic, Layer("players.critic", part.name, "score", count)
