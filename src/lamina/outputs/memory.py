"""What was read lately, looked up: names and turns of phrase that a text has used come again.

The continuous cache of Grave, Joulin and Usunier (2017), "Improving neural language models with a continuous cache":
what a network made of each place of the text is kept beside the token that followed there, and a new place looks for
those that are like it. Only three numbers are learned, on rows to choose by: how like a place has to be to be heard
beside others, how much what is found counts beside what the network says, and how much less where no place is like it.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.ground.lazy import LazyModule

optimize = LazyModule("scipy.optimize")

PLACES = 2_000
"""Places of a text by which the three numbers are learned."""
START = (math.log(20.0), -1.0, 5.0)
"""Of the logarithm of the sharpness, the odds of the share and their fall, from where they are learned."""
BOUNDS = ((0.0, 5.0), (-10.0, 10.0), (0.0, 50.0))
"""Of the same."""
LEAST, TINY = -1e9, 1e-30
"""What stands for the logarithm of nothing, and for nothing where a logarithm is taken."""
EPS = 1e-12
"""The shortest vector that is brought to length 1, as `functional.normalize` has it."""
Kept = tuple[Tensor, Tensor]
"""(batch, places, width) what a network made of places, of length 1, and (batch, places) the token read at each."""


class Memory(nn.Module):
    """Log-probabilities of what follows, blended with what followed at places like these before."""

    sharpness: Tensor
    share: Tensor
    fall: Tensor

    def __init__(self, size: int):
        """Look among the last `size` tokens; nothing is looked up until `learn` found that it helps."""
        super().__init__()
        self.size = size
        self.register_buffer("sharpness", torch.tensor(20.0))
        self.register_buffer("share", torch.tensor(0.0))
        self.register_buffer("fall", torch.tensor(5.0))

    @property
    def is_used(self) -> bool:
        """Whether anything is looked up."""
        return self.size > 0 and float(self.share) > 0

    def forward(self, log_p: Tensor, values: Tensor, numbers: Tensor, kept: Kept | None) -> tuple[Tensor, Kept]:
        """Log-probabilities of what follows each token, blended, and what is kept after the last.

        Args:
            log_p: (batch, tokens, vocabulary) the network's.
            values: (batch, tokens, width) what it made of each place.
            numbers: (batch, tokens) the token that was read there.
            kept: what an earlier call gave: (batch, earlier, width) and (batch, earlier); None at the beginning.
        """
        all_kept = self._with(values, numbers, kept)
        first = all_kept[0].shape[1] - values.shape[1]
        return self._blend(log_p, all_kept[0][:, first:], all_kept, first), self._last(all_kept)

    def keep(self, values: Tensor, numbers: Tensor, kept: Kept | None) -> Kept:
        """As `forward`, where nobody asks what follows."""
        return self._last(self._with(values, numbers, kept))

    def recall(self, log_p: Tensor, values: Tensor, kept: Kept) -> Tensor:
        """As `forward`, of tokens that are not kept: what a network wrote itself is no sign of what comes next."""
        return self._blend(log_p, functional.normalize(values, dim=-1), kept, kept[0].shape[1])

    def recall_alone(self, kept: Kept) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """As `recall`, for one row in NumPy: (vocabulary,) and (width,) to (vocabulary,)."""
        # The place that asks is one behind the last that is kept: of `size` places before it, that one is no use yet.
        (places,), (followers,) = (each[:, -self.size :].numpy() for each in kept)
        places, followers = places[:-1], followers[1:]
        if not len(places):
            return lambda log_p, values: log_p
        sharpness, fall, odds = float(self.sharpness), float(self.fall), float(torch.logit(self.share))

        def recall(log_p: np.ndarray, values: np.ndarray) -> np.ndarray:
            likeness = np.dot(places, values / max(math.sqrt(float(np.dot(values, values))), EPS))
            likest = float(likeness.max())
            share = 1 / (1 + math.exp(fall * (1 - likest) - odds))
            weights = np.exp(sharpness * (likeness - likest))
            found = np.bincount(followers, weights, len(log_p)).astype(log_p.dtype)
            found *= share / found.sum()
            return np.log(np.exp(log_p) * (1 - share) + found)

        return recall

    def _with(self, values: Tensor, numbers: Tensor, kept: Kept | None) -> Kept:
        places, numbers = functional.normalize(values, dim=-1), numbers.long()
        if kept is None:
            return places, numbers
        return torch.cat([kept[0], places], 1), torch.cat([kept[1], numbers], 1)

    def _last(self, kept: Kept) -> Kept:
        return kept[0][:, -self.size - 1 :], kept[1][:, -self.size - 1 :]

    def _blend(self, log_p: Tensor, asked: Tensor, kept: Kept, first: int) -> Tensor:
        """Blend for normalised places; `first` is where the first of them stands among those kept."""
        # Behind a place followed the token that was read next; behind the last one nothing yet.
        places, followers = kept[0][:, :-1], kept[1][:, 1:]
        if not places.shape[1]:
            return log_p
        numbered = torch.arange(max(first + asked.shape[1], places.shape[1]), device=asked.device)
        ago = numbered[first : first + asked.shape[1], None] - numbered[: places.shape[1]]
        there = (ago > 0) & (ago <= self.size)
        likeness = torch.matmul(asked, places.mT)  # (batch, tokens, places)
        weights, share = _weighed(likeness, there, self.sharpness, torch.logit(self.share), self.fall)
        found = torch.zeros_like(log_p).scatter_add_(2, followers[:, None].expand_as(weights), weights)
        return torch.logaddexp(log_p + torch.log1p(-share), (share * found).log())

    def learn(self, log_p: Tensor, values: Tensor, numbers: Tensor) -> None:
        """Learn how like a place must be and how much it counts, from a text that nothing else was learned from.

        Args:
            log_p: (tokens,) what the network said of the token that follows each place.
            values: (tokens, width) what it made of each place.
            numbers: (tokens,) the token that follows it.
        """
        last = len(numbers) - 1
        asked = torch.linspace(1, last, min(last, PLACES), device=numbers.device).long()
        likeness, right, there = self._before(functional.normalize(values, dim=-1), numbers, asked)
        said = log_p[asked]

        def cost(learned: Tensor, some: slice) -> Tensor:
            # The logarithm of the sharpness, the odds of the share, and their fall.
            weights, share = _weighed(likeness[some], there[some], learned[0].exp(), learned[1], learned[2])
            found = (share[:, 0] * (weights * right[some]).sum(-1) + TINY).log()
            return -torch.logaddexp(said[some] + torch.log1p(-share[:, 0]), found).mean()

        def slope(tried: np.ndarray) -> tuple[float, np.ndarray]:
            with torch.enable_grad():
                learned = torch.tensor(tried, dtype=values.dtype, device=values.device, requires_grad=True)
                value = cost(learned, slice(0, None, 2))
                (gradient,) = torch.autograd.grad(value, [learned])
            return float(value.detach()), gradient.cpu().double().numpy()

        # Not an optimizer of torch: making one imports its compiler (docs/lab-notes.md, The machine).
        found = optimize.minimize(slope, START, jac=True, method="L-BFGS-B", bounds=BOUNDS).x
        learned = torch.tensor(found, dtype=values.dtype, device=values.device)
        if cost(learned, slice(1, None, 2)) < -said[1::2].mean():  # places by which nothing was learned yet
            self.sharpness.copy_(learned[0].exp())
            self.share.copy_(learned[1].sigmoid())
            self.fall.copy_(learned[2])

    def _before(self, values: Tensor, numbers: Tensor, asked: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For each place that asks, how like those before it are, which were followed right, and which there are."""
        back = torch.arange(1, min(self.size, len(values)) + 1, device=values.device)
        likeness = []
        for some in asked.split(64):
            at = (some[:, None] - back).clamp(min=0)
            likeness.append((values[some] @ values.T).gather(1, at))
        at = asked[:, None] - back
        return torch.cat(likeness), numbers[at.clamp(min=0)] == numbers[asked][:, None], at >= 0


def _weighed(likeness: Tensor, there: Tensor, sharpness: Tensor, odds: Tensor, fall: Tensor) -> tuple[Tensor, Tensor]:
    """How much each place is heard, and how much all of them count: not at all where there is none.

    Args:
        likeness: (..., places) from -1 to 1.
        there: which there are.
        sharpness: how much more the likest are heard.
        odds: as a logarithm, of counting where a place is just like the present one.
        fall: how much these fall where the likest is not like it at all.

    Returns:
        (..., places) weights that add up to 1, and (..., 1) the share.
    """
    weights = (sharpness * likeness).masked_fill(~there, LEAST).softmax(-1)
    likest = likeness.masked_fill(~there, -1.0).amax(-1, keepdim=True)
    return weights, torch.sigmoid(odds - fall * (1 - likest)) * there.any(-1, keepdim=True)
