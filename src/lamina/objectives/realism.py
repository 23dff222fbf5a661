"""Learning from answers that are given, and to look real: the output's own loss first, then a critic beside it.

The least difference on average is a smooth picture, where several would do. A critic that is shown the answer and the
truth in pairs asks for one of them instead (Ledig et al. 2017, "Photo-realistic single image super-resolution using a
generative adversarial network").
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from lamina.data import Batch
from lamina.ground import Features, torch_generator
from lamina.losses import Loss
from lamina.network import AdversarialPlan, Critic, Network, Perception
from lamina.objectives._draws import Draws
from lamina.objectives._duel import AgainstCritic, Duel


class Realism(AgainstCritic):
    """A network whose answers can be looked at, and a critic."""

    def __init__(self, network: Network, critic: Critic, perception: Perception | None, plan: AdversarialPlan,
                 seed: int):  # fmt: skip
        """Teach both.

        Args:
            network: its only output is one that a critic can look at.
            critic: scores answers and truths.
            perception: in whose features both are compared as well, where the plan asks for it; None takes the critic.
            plan: from which step on, and how much, the critic's say counts.
            seed: augmentation and penalties are drawn from it and the batch's number.
        """
        self.players: Mapping[str, nn.Module] = {"generator": network, "critic": critic}
        self._network, self._duel, self._plan, self._seed = network, Duel(critic, plan), plan, seed
        self._perception = perception
        self._critic_counts = plan.weight > 0 or (plan.perception > 0 and perception is None)
        ((self._output, self._layer),) = network.outputs.items()

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        step = batch.place.batch
        batch = self._network.augment(batch, torch_generator(self._seed, "augment", step, device=batch.rows.device))
        raw = self._network(batch.inputs, batch.targets)
        own = self._network.loss(raw, batch)
        if step < self._plan.after:
            yield "generator", own
            return
        made, real = raw[self._output][:, 0], self._layer.shows(batch.targets[self._output], raw[self._output])
        by_row = self._looks(made, real)
        counted = by_row if batch.weight is None else by_row * batch.weight
        yield "generator", Loss(own.total + counted.sum(), own.count)
        for turn in range(self._duel.turns if self._critic_counts else 0):
            draws = Draws(self._seed, turn, batch)
            yield "critic", self._duel.critic_loss(real, made, None, step, draws.shares)[0]

    def _looks(self, made: Tensor, real: Tensor) -> Tensor:
        """(batch,) what is wrong with the looks of what was made, beside the output's own loss."""
        by_row = torch.zeros(len(made), device=made.device)
        if self._critic_counts:
            critic = self._duel.critic
            seen = critic.look(made)
            with torch.no_grad():
                truth = critic.look(real)
                for_real = critic.scores(truth, None)
            by_row = self._plan.weight * self._duel.maker_losses(critic.scores(seen, None), for_real)
        if self._plan.perception:
            if self._perception is not None:
                seen, truth = self._perception.look(made), self._perception.look(real)
            by_row = by_row + self._plan.perception * _apart(seen, truth)
        return by_row


def _apart(seen: Features, truth: Features) -> Tensor:
    """(batch,) the mean difference of features over all scales, as a share of the truth's own size."""
    pairs = zip(seen.scales, truth.scales, strict=True)
    return torch.stack([
        (one - other).abs().flatten(1).mean(1) / (other.abs().flatten(1).mean(1) + 1e-6) for one, other in pairs
    ]).mean(0)  # fmt: skip
