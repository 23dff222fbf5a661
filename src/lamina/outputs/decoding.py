"""Text written token by token: greedy, by chance, or by the most probable whole.

All ways ask the same two things of what writes: `step`, and a state whose first dimension is the batch. What was
written so far lives in the state, so that every token costs the same.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from lamina.ground.errors import PlanError

State = tuple[Tensor, ...]


class Writer(Protocol):
    """What can be asked for the next token."""

    def step(self, state: State, last: Tensor) -> tuple[Tensor, State]:
        """One token more, (batch,): log-probabilities of what follows, (batch, tokens), and the state after it."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How a token is drawn from what may follow."""

    temperature: float = 0.7
    """Below 1 likely tokens are preferred, above it rare ones; 0 always takes the likeliest."""
    top_k: int = 0
    """Draw from this many of the likeliest only; 0 from all."""
    top_p: float = 1.0
    """Draw from the likeliest that together have this probability (Holtzman et al. 2020)."""
    repetition: float = 1.0
    """Above 1 the score of tokens of the last while is divided by this (Keskar et al. 2019)."""

    def __post_init__(self) -> None:
        if not (self.temperature >= 0 and math.isfinite(self.temperature)):
            raise PlanError(f"temperature: {self.temperature} does not do: it is 0 or more.")
        if self.top_k < 0 or not 0 < self.top_p <= 1 or self.repetition < 1:
            raise PlanError(
                f"top_k is {self.top_k}, top_p {self.top_p} and repetition {self.repetition}: they are at least 0, "
                "above 0 and at most 1, and at least 1."
            )

    def choose(self, scores: Tensor, recent: Sequence[int], generator: torch.Generator) -> int:
        """A token.

        Args:
            scores: (tokens,) log-probabilities; -inf for what must not be written.
            recent: tokens written last, which `repetition` holds against them.
        """
        scores = scores.clone()
        if self.repetition > 1 and recent:
            seen = torch.tensor(sorted(set(recent)), device=scores.device)
            scores[seen] *= self.repetition  # logarithms of probabilities are negative
        if self.temperature == 0:
            return int(scores.argmax())
        scores /= self.temperature
        if self.top_k:
            least = scores.topk(min(self.top_k, len(scores))).values[-1]
            scores[scores < least] = -math.inf
        chances = scores.softmax(0)
        if self.top_p < 1:
            ordered, places = chances.sort(descending=True)
            spare = ordered.cumsum(0) - ordered >= self.top_p  # what is needed no more; the likeliest always stays
            chances[places[spare]] = 0
        return int(torch.multinomial(chances.cpu(), 1, generator=generator))


RECENT = 64
"""Tokens back to which repetition counts."""


def write(writer: Writer, scores: Tensor, state: State, sampling: Sampling, generator: torch.Generator,
          ends: frozenset[int] = frozenset()) -> Iterator[int]:  # fmt: skip
    """Tokens one after the other, without end unless one of `ends` is drawn, which is not given.

    Args:
        writer: what is asked for the next token.
        scores: (1, tokens) log-probabilities of the first.
        state: what belongs to them.
    """
    recent: list[int] = []
    while True:
        token = sampling.choose(scores[0], recent, generator)
        if token in ends:
            return
        yield token
        recent = [*recent[-RECENT + 1 :], token]
        scores, state = writer.step(state, torch.tensor([token], device=scores.device))
