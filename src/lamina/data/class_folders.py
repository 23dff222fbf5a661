"""Files in folders become rows, a file each, and the folder's name is the class.

Folders called train, val, test and the like (all that lie side by side must be) are the split. Then one outer folder
that holds everything is taken off, and the first folder that is left is the class. Where none is left, or only one
class in all, the files are without classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from lamina.data.join import Piece, name_part, word_part
from lamina.data.place import Place
from lamina.data.table import Table
from lamina.ground.errors import DataError


@dataclass
class _Sorted:
    """Files of one place and part, with the folders that are left for classes."""

    place: Place
    part: str | None
    members: list[str]
    folders: list[tuple[str, ...]]


def pieces_by_class(found: Sequence[tuple[Place, Sequence[str]]], what: str,
                    table_of: Callable[[Place, Sequence[str]], Table]) -> list[Piece]:  # fmt: skip
    """A table for each place and part, with a column `class` where folders say it.

    Args:
        found: places with the members that are rows.
        what: what the files are, for messages: `pictures`.
        table_of: a row for each of some members of a place.

    Raises:
        DataError: if some files lie in class folders and others beside them.
    """
    groups = [group for place, members in found for group in _split(place, members)]
    classes = {folders[0] for group in groups for folders in group.folders if folders}
    if len(classes) < 2:
        return [Piece(table_of(group.place, group.members), group.part) for group in groups]
    for group in groups:
        for member, folders in zip(group.members, group.folders, strict=True):
            if not folders:
                raise DataError(
                    f"{group.place.name}/{member} lies in no class folder, while others do: {min(classes)!r} is one. "
                    f"Move it into the folder of its class, or leave it out: {what} without a class are for predict."
                )
    return [Piece(_with_class(group, table_of(group.place, group.members)), group.part) for group in groups]


def _with_class(group: _Sorted, table: Table) -> Table:
    notes = table.notes
    deeper = next((folders for folders in group.folders if len(folders) > 1), None)
    if deeper:
        notes += (
            f"{group.place.name}: folders inside {deeper[0]!r}, such as {deeper[1]!r}, count as part of that class.",
        )
    classes = pl.Series("class", [folders[0] for folders in group.folders], dtype=pl.String)
    return replace(table, frame=table.frame.with_columns(classes), notes=notes, targets=("class",))


def _split(place: Place, members: Sequence[str]) -> list[_Sorted]:
    """The files of a place by part, with the folders of the split and an outer folder taken off."""
    folders = [tuple(member.split("/")[:-1]) for member in members]
    outer = name_part(f"{place.name}/")
    parts: list[str | None] = [None] * len(members)
    while all(folders) and folders:
        firsts = {steps[0] for steps in folders}
        if parts[0] is None and all(word_part(first) for first in firsts):
            parts = [word_part(steps[0]) for steps in folders]
        elif len(firsts) > 1 or not all(steps[1:] for steps in folders):
            break
        folders = [steps[1:] for steps in folders]
    groups: dict[str | None, _Sorted] = {}
    for member, part, steps in zip(members, parts, folders, strict=True):
        group = groups.setdefault(part or outer, _Sorted(place, part or outer, [], []))
        group.members.append(member)
        group.folders.append(steps)
    order = [None, "train", "valid", "test"]
    return sorted(groups.values(), key=lambda group: order.index(group.part))
