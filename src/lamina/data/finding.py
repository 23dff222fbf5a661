"""What a careful colleague would say of the data."""

import shlex
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One remark; part of a run, so plain values only."""

    level: Literal["note", "warning"]
    """A note is good to know; a warning may make the result worthless."""
    column: str | None
    """The column it is about; None when it is about the rows."""
    text: str
    """What was found, with the numbers seen."""
    remedy: str = ""
    """What to do about it, if anything; empty otherwise."""


def setting(column: str, key: str, value: str) -> str:
    """What a person adds to the command to correct a column, quoted for a shell: `--set columns.zip.kind=category`."""
    return f"--set {shlex.quote(f'columns.{column}.{key}={value}')}"
