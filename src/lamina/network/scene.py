"""What the choice of a plan rests on, and how its parts are called."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from lamina.data import Column

_LONGEST = 50
"""Characters of a part's name: what it learned lies in a file of that name, and names of files end at 255 bytes."""


@dataclass(frozen=True)
class Scene:
    """What the choice rests on."""

    columns: Mapping[str, Column]
    targets: Sequence[str]
    rows: int
    """Rows to learn from and to choose by."""
    side: int | None = None
    """The longer side of a typical picture in pixels, None without pictures."""
    mirror: bool | None = None
    """Whether pictures may be mirrored, when that is known already."""
    flows: bool = False
    """Whether rows are stretches of running text, each of which goes on where the one before it ended."""
    may_rotate: bool = False
    """Whether rows to choose by may change places with those to learn from: not in time, nor where the data says."""
    in_order: bool = False
    """Whether words are to be read in their order as well, where one text is all that classes are told by."""
    answered: tuple[str, str] | None = None
    """Where texts answer texts, whether they are looked up (`reply`) or written (`text`), and why."""
    scale: int | None = None
    """How many times photos are to be enlarged."""


Parts = Callable[[Scene, Mapping[str, Any], str, dict[str, str]], dict[str, Any]]
"""Chooses sections of a plan by the data, what a person gave and the size dial; tells why, by path, into the last."""


def part_name(column: str, taken: Iterable[str] = ()) -> str:
    """A column's name as the name of a part: letters, digits and underscores, not one that a module uses itself."""
    name = re.sub(r"\W+", "_", column).strip("_")[:_LONGEST].strip("_") or "column"
    while hasattr(nn.ModuleDict(), name) or name in taken or name == "hidden":
        name += "_"
    return name
