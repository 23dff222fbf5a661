"""What a column holds and what it is for."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["number", "category", "moment", "text", "image", "tags"]
Role = Literal["input", "target", "ignore", "time", "group", "weight"]

KINDS: tuple[str, ...] = get_args(Kind)
ROLES: tuple[str, ...] = get_args(Role)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column, understood; part of a run, so plain values only."""

    name: str
    kind: Kind
    role: Role = "input"
    confidence: float = 1.0
    """0 to 1: how sure the guess is; 1 when a person said so."""
    reason: str = ""
    """Why, in words that a person can check: `41 different whole numbers from 17 to 90`."""
    missing: tuple[str, ...] = ()
    """Cells that count as gaps beside empty ones: `?`, `NA`."""
    format: str | None = None
    """How moments are written, None for typed columns and other kinds."""
    decimal: str = "."
    """The decimal mark of numbers written as text."""
    unit: str = ""
    """The sign that numbers written as text carry before or behind: `%`, `$`, `EUR`."""
    gaps: int = 0
    """Cells without a value."""
    distinct: int = 0
    """Different values."""
    of: str = ""
    """Of tags: the column whose words they belong to."""
