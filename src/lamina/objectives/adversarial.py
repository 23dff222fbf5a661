"""Learning to make what a critic cannot tell from the real: two players, in turns, the critic first."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from lamina.data import Batch, Values
from lamina.losses import Loss
from lamina.network import AdversarialPlan, Critic, Network
from lamina.objectives._draws import Draws
from lamina.objectives._duel import AgainstCritic, Duel

ENOUGH = 5_000
"""Training pictures from which none are varied: a critic does not learn so many by heart in the time there is, and
what is varied shows in what is made (docs/lab-notes.md)."""


class Adversarial(AgainstCritic):
    """A network that makes things from noise, pictures or rows of a table, and a critic."""

    def __init__(self, network: Network, critic: Critic, plan: AdversarialPlan, asked: tuple[str, ...], rows: int,
                 seed: int):  # fmt: skip
        """Teach both.

        Args:
            network: what makes them, by its only output.
            critic: scores them.
            plan: which loss, penalties, augmentation.
            asked: the inputs that say what is asked for: all but the noise.
            rows: training rows; pictures are varied where there are few.
            seed: noise and augmentation are drawn from it and the batch's number.
        """
        self.players: Mapping[str, nn.Module] = {"generator": network, "critic": critic}
        self._network, self._duel, self._asked, self._seed = network, Duel(critic, plan), asked, seed
        ((self._output, self._layer),) = network.outputs.items()
        wanted = 0.6 * max(1 - rows / ENOUGH, 0.0) if plan.augment is None else plan.augment
        shown = self._layer.shown
        self._varied = wanted if shown is not None and shown.form == "grid" else 0.0

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        duel = self._duel
        for turn in range(duel.turns):
            draws = Draws(self._seed, turn, batch)
            raw = self._make(batch, draws)
            made, real = raw[:, 0], self._layer.shows(batch.targets[self._output], raw)
            real, shown = draws.altered(real, self._varied, "real"), draws.altered(made, self._varied, "made")
            loss, for_real = duel.critic_loss(real, shown, self._wanted(batch.inputs), batch.place.batch, draws.shares)
            yield "critic", loss
        made = Draws(self._seed, duel.turns, batch).altered(made, self._varied, "made")
        losses = duel.maker_losses(duel.critic(made, self._wanted(batch.inputs)), for_real)
        yield "generator", Loss(losses.sum(), float(len(batch)))

    def _make(self, batch: Batch, draws: Draws) -> Tensor:
        varied = self._network.augment(batch, draws.generator("noise"))
        return self._network(varied.inputs)[self._output]

    def _wanted(self, inputs: Mapping[str, Values]) -> Tensor | None:
        """(batch, numbers) what was asked for, as the critic hears it."""
        if not self._asked:
            return None
        with torch.no_grad():  # what an embedding means is learned by the network alone
            return torch.cat([self._network.inputs[name](inputs[name]).values for name in self._asked], dim=1)
