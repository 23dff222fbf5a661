"""Text written token by token: greedy, by chance, or by the most probable whole.

What writes remembers what was written so far, so that every token costs the same. Beams are reordered on the way: they
ask for `step`, and a state whose first dimension is the batch.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
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

    def choose(self, scores: np.ndarray, recent: Sequence[int], generator: np.random.Generator) -> int:
        """A token.

        Args:
            scores: (tokens,) log-probabilities; -inf for what must not be written.
            recent: tokens written last, which `repetition` holds against them.
        """
        values = scores.astype(np.float64)
        if self.repetition > 1 and recent:
            values[sorted(set(recent))] *= self.repetition  # logarithms of probabilities are negative
        if self.temperature == 0:
            return int(values.argmax())
        values /= self.temperature
        if 0 < self.top_k < len(values):
            values[values < np.partition(values, -self.top_k)[-self.top_k]] = -math.inf
        chances = np.exp(values - np.maximum.reduce(values))
        if self.top_p < 1:
            order = np.argsort(-chances, kind="stable")
            before = chances[order].cumsum() - chances[order]
            chances[order[before >= self.top_p * chances.sum()]] = 0  # needed no more; the likeliest always stays
        ends = chances.cumsum()
        return int(ends.searchsorted(ends[-1] * generator.random(), side="right"))


RECENT = 64
"""Tokens back to which repetition counts."""


def write(scores: np.ndarray, go_on: Callable[[int], np.ndarray], sampling: Sampling, generator: np.random.Generator,
          ends: frozenset[int] = frozenset()) -> Iterator[int]:  # fmt: skip
    """Tokens one after the other, without end unless one of `ends` is drawn, which is not given.

    Args:
        scores: (tokens,) log-probabilities of the first.
        go_on: those of what follows, once a token is written.
    """
    recent: list[int] = []
    while True:
        token = sampling.choose(scores, recent, generator)
        if token in ends:
            return
        yield token
        recent = [*recent[-RECENT + 1 :], token]
        scores = go_on(token)


def beam_search(writer: Writer, state: State, first: Tensor, beams: int, longest: Sequence[int], end: int
                ) -> list[tuple[list[int], float]]:  # fmt: skip
    """For each row the whole that is the likeliest per token, among the beginnings that were followed.

    A row is done when as many wholes as beams were found, or when it is as long as it may be.

    Args:
        writer: what is asked for the next token.
        state: before the first token.
        first: (rows,) the token that stands before each answer.
        beams: beginnings that are followed side by side.
        longest: for each row the tokens after which it is ended.
        end: the token that ends one.

    Returns:
        Tokens without `end`, and the geometric mean of their probabilities.
    """
    rows, device = len(first), first.device
    found: list[list[tuple[float, list[int]]]] = [[] for _ in range(rows)]
    going = list(range(rows))
    written = first.new_empty(rows, beams, 0)
    totals = torch.full((rows, beams), -math.inf, device=device)
    totals[:, 0] = 0  # all beams of a row are alike at first
    state = picked(state, torch.arange(rows, device=device).repeat_interleave(beams))
    last = first.repeat_interleave(beams)
    while going:
        scores, state = writer.step(state, last)
        count, size = written.shape[2] + 1, scores.shape[-1]
        sums = totals[..., None] + scores.view(len(going), beams, size)
        # Twice as many as are kept: so many are left when all beams end.
        best, places = sums.flatten(1).topk(min(2 * beams, beams * size), dim=1)
        origins, tokens = places // size, places % size
        ended = tokens == end
        for place, beam in ended[:, :beams].nonzero().tolist():
            if best[place, beam] > -math.inf:
                whole = float(best[place, beam]) / count, written[place, origins[place, beam]].tolist()
                found[going[place]].append(whole)
        totals, kept = best.masked_fill(ended, -math.inf).topk(beams, dim=1)
        origins, tokens = origins.gather(1, kept), tokens.gather(1, kept)
        before = written.gather(1, origins[..., None].expand(-1, -1, written.shape[2]))
        written = torch.cat([before, tokens[..., None]], 2)
        left = []
        for place, row in enumerate(going):
            if count >= longest[row] and not found[row]:  # what did not come to an end in time counts as it is
                found[row].append((float(totals[place, 0]) / count, written[place, 0].tolist()))
            if count < longest[row] and len(found[row]) < beams:
                left.append(place)
        going = [going[place] for place in left]  # rows that are done cost no further step
        places = torch.tensor(left, dtype=torch.long, device=device)
        state = picked(state, (origins[places] + places[:, None] * beams).flatten())
        totals, written, last = totals[places], written[places], tokens[places].flatten()
    return [(tokens, math.exp(mean)) for mean, tokens in map(max, found)]


def picked(state: State, rows: Tensor) -> State:
    """The state of some rows, in this order."""
    return tuple(each.index_select(0, rows) for each in state)
