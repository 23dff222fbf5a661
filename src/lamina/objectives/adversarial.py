"""Learning to make what a critic cannot tell from the real: two players, in turns.

The critic's turn comes first. The default is the relativistic pairing loss with penalties on the critic's gradients at
real (R1) and made (R2) pictures of Huang et al. 2024, "The GAN is dead; long live the GAN! A modern baseline GAN":
the critic scores a real picture against a made one of the same row, so that no mode of the data can be left out
without being found. Pairs lie within a row: rows do not depend on each other.
"""

from collections.abc import Iterator, Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.data import Batch, Values
from lamina.ground import torch_generator
from lamina.losses import Loss
from lamina.network import AdversarialPlan, Critic, Network
from lamina.objectives._alter import alter
from lamina.objectives.contract import Objective
from lamina.outputs import from_bytes

ENOUGH = 20_000
"""Training pictures from which none are varied: a critic does not learn so many by heart in the time there is."""
_MEMORY = 0.98
"""What the running figures keep of the past at each step."""


class Adversarial(Objective):
    """A network that makes pictures, and a critic."""

    def __init__(self, network: Network, critic: Critic, plan: AdversarialPlan, asked: tuple[str, ...], rows: int,
                 seed: int):  # fmt: skip
        """Teach both.

        Args:
            network: what makes pictures; its only output is one.
            critic: scores pictures.
            plan: which loss, penalties, augmentation.
            asked: the inputs that say what is asked for: all but the noise.
            rows: training pictures.
            seed: noise and augmentation are drawn from it and the batch's number.
        """
        self.players: Mapping[str, nn.Module] = {"generator": network, "critic": critic}
        self._network, self._critic, self._plan, self._asked, self._seed = network, critic, plan, asked, seed
        ((self._output, _),) = network.outputs.items()
        wasserstein = plan.loss == "wasserstein"
        self._penalty = (10.0 if wasserstein else 1.0) if plan.penalty is None else plan.penalty
        self._critic_turns = plan.critic_turns or (5 if wasserstein else 1)
        self._varied = 0.6 * max(1 - rows / ENOUGH, 0.0) if plan.augment is None else plan.augment
        self._figures: dict[str, Tensor] = {}

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        target = batch.targets[self._output]
        assert isinstance(target, Tensor)
        real = from_bytes(target)
        for turn in range(self._critic_turns):
            draws = _Draws(self._seed, turn, batch)
            made = self._make(batch, draws)
            loss, for_real = self._critic_loss(real, made.detach(), batch, draws)
            yield "critic", loss
        draws = _Draws(self._seed, self._critic_turns, batch)
        yield "generator", self._generator_loss(made, for_real, batch, draws)

    def _make(self, batch: Batch, draws: "_Draws") -> Tensor:
        varied = self._network.augment(batch, draws.generator("noise"))
        return self._network(varied.inputs)[self._output][:, 0]

    def _wanted(self, inputs: Mapping[str, Values]) -> Tensor | None:
        """(batch, numbers) what was asked for, as the critic hears it."""
        if not self._asked:
            return None
        with torch.no_grad():  # what an embedding means is learned by the network alone
            return torch.cat([self._network.inputs[name](inputs[name]).values for name in self._asked], dim=1)

    def _critic_loss(self, real: Tensor, made: Tensor, batch: Batch, draws: "_Draws") -> tuple[Loss, Tensor]:
        """What the critic minimises, and (batch,) its scores of the real pictures."""
        asked, rows = self._wanted(batch.inputs), len(batch)
        penalised = self._penalty > 0 and batch.place.batch % self._plan.penalty_every == 0
        wasserstein = self._plan.loss == "wasserstein"
        shown = torch.cat([draws.altered(real, self._varied, "real"), draws.altered(made, self._varied, "made")])
        shown.requires_grad_(penalised and not wasserstein)
        scores = self._critic(shown, None if asked is None else torch.cat([asked, asked]))
        for_real, for_made = scores[:rows], scores[rows:]
        if wasserstein:
            losses = for_made - for_real
        elif self._plan.loss == "relativistic":
            losses = functional.softplus(for_made - for_real)
        else:
            losses = functional.softplus(-for_real) + functional.softplus(for_made)
        self._note("critic_loss", losses)
        self._note("critic_accuracy", (for_real > for_made).float())
        if penalised:
            heavier = self._penalty * self._plan.penalty_every
            if wasserstein:
                between = torch.lerp(shown[:rows], shown[rows:], draws.shares()).requires_grad_()
                lengths = _slopes(self._critic(between, asked), between).sqrt()
                losses = losses + heavier * (lengths - 1) ** 2
            else:
                slopes = _slopes(scores, shown)
                losses = losses + heavier / 2 * (slopes[:rows] + slopes[rows:])
        return Loss(losses.sum(), float(rows)), for_real.detach()

    def _generator_loss(self, made: Tensor, for_real: Tensor, batch: Batch, draws: "_Draws") -> Loss:
        asked = self._wanted(batch.inputs)
        scores = self._critic(draws.altered(made, self._varied, "made"), asked)
        if self._plan.loss == "relativistic":
            # Scored before the critic's update: a pass of it less, and only how much each pair counts hangs on it.
            losses = functional.softplus(for_real - scores)
        else:
            losses = -scores if self._plan.loss == "wasserstein" else functional.softplus(-scores)
        self._note("generator_loss", losses)
        return Loss(losses.sum(), float(len(batch)))

    def _note(self, name: str, by_row: Tensor) -> None:
        """Take a figure of this batch into its running mean; nothing waits for the device."""
        mean = by_row.detach().mean()
        self._figures[name] = torch.lerp(mean, self._figures[name], _MEMORY) if name in self._figures else mean

    def summary(self) -> dict[str, float]:
        """Both losses without penalties, and how often the critic scores the real one of a pair higher."""
        return {name: float(figure) for name, figure in self._figures.items()}

    def state(self) -> dict[str, object]:
        return {"figures": dict(self._figures)}

    def restore(self, state: Mapping[str, object]) -> None:
        device = next(self._critic.parameters()).device
        figures = cast(Mapping[str, Tensor], state["figures"])
        self._figures = {name: figure.to(device) for name, figure in figures.items()}


def _slopes(scores: Tensor, pictures: Tensor) -> Tensor:
    """(batch,) squared length of each score's gradient by its picture."""
    (gradient,) = torch.autograd.grad(scores.sum(), pictures, create_graph=True)
    return gradient.square().sum((1, 2, 3))


class _Draws:
    """What chance adds to one turn of a step: the same however the batch is divided, and whenever it is taken."""

    def __init__(self, seed: int, turn: int, batch: Batch):
        self._key, self._batch = (seed, "adversarial", turn, batch.place.batch), batch

    def generator(self, what: str) -> torch.Generator:
        """A generator for one purpose."""
        return torch_generator(*self._key, what, device=self._batch.rows.device)

    def altered(self, pictures: Tensor, share: float, what: str) -> Tensor:
        """Pictures of which a share is varied."""
        return alter(pictures, share, self.generator(what), self._batch.place) if share else pictures

    def shares(self) -> Tensor:
        """(batch, 1, 1, 1) how far between two pictures to look."""
        place = self._batch.place
        drawn = torch.rand(self._batch.whole, 1, 1, 1, generator=self.generator("shares"),
                           device=self._batch.rows.device)  # fmt: skip
        return drawn[place.start : place.start + len(self._batch)]
