"""Which columns are to be predicted."""

from collections.abc import Sequence
from typing import Any

from lamina.data import Table, guess_targets, understand
from lamina.ground import PlanError, listing, nearest

Said = dict[str, dict[str, Any]]
"""What is said of columns, by name: kind, role, missing."""


def to_predict(source: Table, predict: Sequence[str], said: Said) -> tuple[tuple[str, ...], Said, str]:
    """The columns to predict, what is said of columns, and why these columns, when nobody named them.

    Args:
        source: the table as it was read.
        predict: the columns, where a person named them; otherwise what the data marks, or the likeliest.
        said: what a person said of columns, by name.

    Raises:
        PlanError: if there is no such column, or nothing says which it is.
    """
    for name in predict:
        if name not in source.columns:
            raise PlanError(
                f"There is no column {name!r} in {source.name}.{nearest(name, source.columns)} "
                f"Columns: {listing(source.columns, 30)}."
            )
    if predict:
        return tuple(dict.fromkeys(predict)), said, ""
    marked = tuple(name for name, about in said.items() if about.get("role") == "target")
    if marked:
        return marked, said, ""
    guess = guess_targets(source, understand(source, None, said))
    if guess is None and len(source.columns) == 1 and source.media:
        raise PlanError(
            f"{source.name} holds {len(source):,} pictures of no class or of one alone: nothing says what to predict. "
            "Lay them into a folder for each class, or give a table that names them beside their answers."
        )
    if guess is None:
        raise PlanError(
            f"Which column of {source.name} is to be predicted? "
            f"Say so: --predict COLUMN ({listing(source.columns, 30)})."
        )
    targets, reason = guess
    return targets, said, "" if source.targets else reason
