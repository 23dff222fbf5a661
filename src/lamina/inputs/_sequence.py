"""What inputs that read a text token by token share: settings and their checks, what is known, and forgetting."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lamina.data.batch import Place, Ragged
from lamina.data.finding import setting
from lamina.data.vocabulary import FIRST, START, UNKNOWN
from lamina.ground.errors import DataError, PlanError
from lamina.inputs.contract import InputPlan

NOTHING = START
"""What stands for an empty text and for padding."""


@dataclass(frozen=True, kw_only=True)
class SequenceInput(InputPlan):
    """One column of texts, each a sequence of tokens of any length, each with a learned vector."""

    width: int = 64
    """Numbers in the vector of a token."""
    most: int = 20_000
    """Different tokens at most; the most frequent are kept."""
    least: int = 2
    """Training rows in which a word must stand to have a vector of its own; the others share one."""
    fold: bool = True
    """Whether capital and small letters are the same."""
    forget: float = 0.1
    """Share of the tokens that are taken for unknown ones at random in training."""

    def __post_init__(self) -> None:
        if len(self.columns) != 1:
            raise PlanError(f"An input of {self.kind} reads one column, but is given {len(self.columns)}: "
                            f"{self.columns}.")  # fmt: skip
        self._at_least(width=1, most=1, least=1)
        if not 0 <= self.forget < 1:
            raise PlanError(f"forget: {self.forget:g} does not do: it is from 0 to below 1.")

    def _at_least(self, **lowest: int) -> None:
        for name, low in lowest.items():
            if (value := getattr(self, name)) < low:
                raise PlanError(f"{name}: {value} does not do: it is {low} or more.")

    def _nothing(self, what: str) -> DataError:
        name = self.columns[0]
        return DataError(
            f"Column {name!r} holds no {what}: there is nothing to learn from. Leave the text out: "
            f"{setting(name, 'role', 'ignore')}"
        )


def ranked(counts: Counter[str], least: int) -> list[str]:
    """Names that were counted so often, the most frequent first."""
    often = [(name, count) for name, count in counts.items() if count >= least]
    return [name for name, _ in sorted(often, key=lambda pair: (-pair[1], pair[0]))]


def numbers_of(names: Any) -> dict[str, int]:
    """The number of each name that is known."""
    return {name: FIRST + place for place, name in enumerate(names)}


def forgotten(numbers: Tensor, rows: Ragged, share: float, generator: torch.Generator, place: Place) -> Tensor:
    """(tokens,) the numbers with a share of them taken for unknown ones: the vector of those is learned too."""
    kept = (chances(rows, generator, place) >= share) | (numbers == NOTHING)
    return torch.where(kept, numbers, UNKNOWN)


def chances(rows: Ragged, generator: torch.Generator, place: Place) -> Tensor:
    """(tokens,) uniform in [0, 1), mixed of a number drawn for the row and the token's place in it.

    So a row's chances are the same however the batch is divided, whose rows may be of any length. The mixing is the
    finaliser of MurmurHash3 (Appleby 2011), on 32 of 64 bits.
    """
    lengths, device = rows.lengths, rows.values.device
    drawn = torch.randint(1 << 32, (place.whole or len(lengths),), generator=generator, device=device)
    drawn = drawn[place.start : place.start + len(lengths)].repeat_interleave(lengths)
    places = torch.arange(len(rows.values), device=device) - rows.offsets[:-1].repeat_interleave(lengths)
    bits = (drawn + places * 0x9E3779B1) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        bits = ((bits ^ (bits >> shift)) * factor) & 0xFFFFFFFF
    return (bits ^ (bits >> 16)).double() / (1 << 32)
