"""What is told of a training while it goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class News:
    """What a watcher is told while training goes on."""

    step: int
    steps: int
    epoch: float
    loss: float
    rate: float
    """Rows a second, lately."""
    seconds_left: float
    judged: Mapping[str, float] = field(default_factory=dict)
    """Figures on validation rows, when this news is a judgement."""
    best: bool = False


class Watcher(Protocol):
    """Whoever looks on: a terminal, a dashboard. Cannot change what is learned."""

    def __call__(self, news: News) -> None:
        """Take in the news."""
