"""What a critic minimises, and what its scores mean for whoever makes what it is shown.

The default is the relativistic pairing loss with penalties on the critic's gradients at real (R1) and made (R2) rows of
Huang et al. 2024, "The GAN is dead; long live the GAN! A modern baseline GAN": the critic scores a real row against a
made one, so that no mode of the data can be left out without being found. Pairs lie within a row of a batch: rows do
not depend on each other.
"""

from abc import ABC
from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from lamina.losses import Loss
from lamina.network import AdversarialPlan, Critic
from lamina.objectives.contract import Objective

_MEMORY = 0.98
"""What the running figures keep of the past at each step."""


class Duel:
    """A critic and the losses of both sides."""

    def __init__(self, critic: Critic, plan: AdversarialPlan):
        """Losses as the plan says, penalties and turns as its loss needs them where it leaves them open."""
        self.critic, self.plan = critic, plan
        wasserstein = plan.loss == "wasserstein"
        self._penalty = (10.0 if wasserstein else 1.0) if plan.penalty is None else plan.penalty
        self.turns = plan.critic_turns or (5 if wasserstein else 1)
        """Of the critic, before each of the other's."""
        self._figures: dict[str, Tensor] = {}

    def critic_loss(self, real: Tensor, made: Tensor, asked: Tensor | None, step: int,
                    shares: Callable[[], Tensor]) -> tuple[Loss, Tensor]:  # fmt: skip
        """What the critic minimises, and (batch,) its scores of the real rows.

        Args:
            real: (batch, ...) as the critic sees them.
            made: the same shape; no gradient goes through them.
            asked: (batch, numbers) what both were asked for, None where nothing is.
            step: its number: penalties come at every so many.
            shares: (batch,) how far between a real and a made row to look, drawn when it is called.
        """
        rows = len(real)
        penalised = self._penalty > 0 and step % self.plan.penalty_every == 0
        wasserstein = self.plan.loss == "wasserstein"
        shown = torch.cat([real, made.detach()])
        shown.requires_grad_(penalised and not wasserstein)
        scores = self.critic(shown, None if asked is None else torch.cat([asked, asked]))
        for_real, for_made = scores[:rows], scores[rows:]
        if wasserstein:
            losses = for_made - for_real
        elif self.plan.loss == "relativistic":
            losses = functional.softplus(for_made - for_real)
        else:
            losses = functional.softplus(-for_real) + functional.softplus(for_made)
        self.note("critic_loss", losses)
        self.note("critic_accuracy", (for_real > for_made).float())
        if penalised:
            heavier = self._penalty * self.plan.penalty_every
            if wasserstein:
                far = shares().view(-1, *(1,) * (real.dim() - 1))
                between = torch.lerp(shown[:rows], shown[rows:], far).requires_grad_()
                lengths = _slopes(self.critic(between, asked), between).sqrt()
                losses = losses + heavier * (lengths - 1) ** 2
            else:
                slopes = _slopes(scores, shown)
                losses = losses + heavier / 2 * (slopes[:rows] + slopes[rows:])
        return Loss(losses.sum(), float(rows)), for_real.detach()

    def maker_losses(self, for_made: Tensor, for_real: Tensor) -> Tensor:
        """(batch,) what the maker minimises.

        Args:
            for_made: (batch,) the critic's scores of what was made.
            for_real: (batch,) those of the real rows before the critic's update: a pass of it less, and only how much
                each pair counts hangs on them.
        """
        if self.plan.loss == "relativistic":
            losses = functional.softplus(for_real - for_made)
        else:
            losses = -for_made if self.plan.loss == "wasserstein" else functional.softplus(-for_made)
        self.note("generator_loss", losses)
        return losses

    def note(self, name: str, by_row: Tensor) -> None:
        """Take a figure of this batch into its running mean; nothing waits for the device."""
        mean = by_row.detach().mean()
        self._figures[name] = torch.lerp(mean, self._figures[name], _MEMORY) if name in self._figures else mean

    def summary(self) -> dict[str, float]:
        """Both losses without penalties, and how often the critic scores the real one of a pair higher."""
        return {name: float(figure) for name, figure in self._figures.items()}

    def state(self) -> dict[str, object]:
        """What resuming needs beside the players."""
        return {"figures": dict(self._figures)}

    def restore(self, state: Mapping[str, object]) -> None:
        """Go on where `state` was taken."""
        device = next(self.critic.parameters()).device
        figures = cast(Mapping[str, Tensor], state["figures"])
        self._figures = {name: figure.to(device) for name, figure in figures.items()}


class AgainstCritic(Objective, ABC):
    """An objective in which somebody is taught by a critic: what has to be known of it beside the players."""

    _duel: Duel

    def summary(self) -> dict[str, float]:
        """The critic's figures, once it has joined."""
        return self._duel.summary()

    def state(self) -> dict[str, object]:
        return self._duel.state()

    def restore(self, state: Mapping[str, object]) -> None:
        self._duel.restore(state)


def _slopes(scores: Tensor, shown: Tensor) -> Tensor:
    """(batch,) squared length of each score's gradient by what was shown."""
    (gradient,) = torch.autograd.grad(scores.sum(), shown, create_graph=True)
    return gradient.square().flatten(1).sum(1)
