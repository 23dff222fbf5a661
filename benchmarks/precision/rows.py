"""What is compared: rows of the quality benchmark with a fixed number of steps, and the ways that they compute in."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.quality.rows import ROWS as QUALITY
from benchmarks.quality.rows import Row
from lamina.training import PLAIN, Way

WAYS: dict[str, Way] = {
    "float32": PLAIN,
    "bfloat16": Way("bfloat16", "channels_last"),
    "winograd": Way("float32", "channels_last", filters="winograd"),
}
"""The plain way, which the others are held against, first."""


@dataclass(frozen=True)
class Compared:
    """A row of the quality benchmark that is trained in several ways."""

    row: Row
    ways: tuple[str, ...] = ("float32", "bfloat16")
    """Keys of `WAYS`; `winograd` where filters are wide."""
    seeds: int = 2
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What fixes the number of steps, where the row itself would fill its time."""
    time: str = "2h"
    """Longer than any way takes: who is slow is to learn as much."""

    @property
    def fingerprint(self) -> str:
        """Six hexadecimal digits that change with what is trained."""
        return hashlib.sha256(repr((self.ways, self.seeds, dict(self.settings), self.time)).encode()).hexdigest()[:6]


# Tables, pictures, texts and words: a classification and a regression, convolutions, phrases, a recurrent network.
ROWS: dict[str, Compared] = {compared.row.name: compared for compared in (
    Compared(QUALITY["adult_income"]),
    Compared(QUALITY["california_housing"]),
    Compared(QUALITY["traffic_signs"], ("float32", "bfloat16", "winograd"), 1, {"training.epochs": 24}),
    Compared(QUALITY["newsgroups4"]),
    Compared(QUALITY["wnut17"]),
)}  # fmt: skip
