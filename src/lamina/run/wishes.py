"""What the one who asks for a training brings beside the plan."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lamina.hidden import HiddenLayer
from lamina.training import Ranks, Watcher


@dataclass
class Wishes:
    """What the one who asks for a training brings beside the plan."""

    seconds: float | None = None
    """Time for the loop."""
    checkpoint: Path | None = None
    history: Path | None = None
    film: Path | None = None
    """A folder for what a network that makes pictures made at each judgement."""
    watchers: tuple[Watcher, ...] = ()
    interrupted: Callable[[], int | None] = lambda: None
    decisions: dict[str, Any] = field(default_factory=dict)
    """Decisions that depended on the clock, made by an earlier part of the same training."""
    decided: Callable[[Mapping[str, Any]], None] = lambda decisions: None
    """Told all decisions whenever one is added, before it takes effect."""
    trouble: Callable[[str], None] = lambda text: None
    """Told what went wrong and was dealt with: a disk that is full, numbers that left their range."""
    hidden: HiddenLayer | None = None
    """Hidden layers of one's own, in place of the plan's."""
    ranks: Ranks | None = None
    """The processes that train together, of which this is the first; None when it is alone."""

    @property
    def processes(self) -> int:
        """How many train together."""
        return 1 if self.ranks is None else self.ranks.size
