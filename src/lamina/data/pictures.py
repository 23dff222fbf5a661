"""Pictures in folders become rows: a reference in the column `image`, and the folder's name in the column `class`.

Folders called train, val, test and the like (all that lie side by side must be) are the split. Then one outer folder
that holds everything is taken off, and the first folder that is left is the class. Where none is left, or only one
class in all, the pictures are without classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from lamina.data.join import Piece, name_part, word_part
from lamina.data.media import Places
from lamina.data.place import Place
from lamina.data.table import Origin, Table
from lamina.ground.errors import DataError


@dataclass
class _Sorted:
    """Pictures of one place and part, with the folders that are left for classes."""

    place: Place
    part: str | None
    members: list[str]
    folders: list[tuple[str, ...]]


def picture_pieces(found: Sequence[tuple[Place, Sequence[str]]], places: Places) -> list[Piece]:
    """A table for each place and part.

    Args:
        found: places with the members that are pictures.
        places: the media that will open them.

    Raises:
        DataError: if some pictures lie in class folders and others beside them.
    """
    groups = [group for place, members in found for group in _split(place, members)]
    classes = {folders[0] for group in groups for folders in group.folders if folders}
    if len(classes) < 2:
        return [_piece(group, places, with_class=False) for group in groups]
    for group in groups:
        for member, folders in zip(group.members, group.folders, strict=True):
            if not folders:
                raise DataError(
                    f"{group.place.name}/{member} lies in no class folder, while others do: {min(classes)!r} is one. "
                    f"Move it into the folder of its class, or leave it out: pictures without a class are for predict."
                )
    return [_piece(group, places, with_class=True) for group in groups]


def _split(place: Place, members: Sequence[str]) -> list[_Sorted]:
    """The pictures of a place by part, with the folders of the split and an outer folder taken off."""
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


def _piece(group: _Sorted, places: Places, with_class: bool) -> Piece:
    name = group.place.name
    frame = pl.DataFrame({"image": [f"{name}/{member}" for member in group.members]}, schema={"image": pl.String})
    notes: tuple[str, ...] = ()
    if with_class:
        frame = frame.with_columns(pl.Series("class", [folders[0] for folders in group.folders], dtype=pl.String))
        deeper = next((folders for folders in group.folders if len(folders) > 1), None)
        if deeper:
            notes = (f"{name}: folders inside {deeper[0]!r}, such as {deeper[1]!r}, count as part of that class.",)
    origin = Origin(name, len(group.members), unit="picture")
    return Piece(Table(frame, {"image": places}, (origin,), None, notes, ("class",) if with_class else ()), group.part)
