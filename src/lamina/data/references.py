"""A column of a table that holds paths to pictures: found beside the table, in what was given with it, or near it.

Each path is tried beside the table, then in the folders and archives given as data, then in the archives and folders
that lie beside the table. It may not leave them. What is found is written into the cell as a reference that names its
place (`train.zip/train/7.jpg`); what is not found stays as it is and is named when it is opened.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import polars as pl

from lamina.data.archive import archive_suffix
from lamina.data.media import Places
from lamina.data.picture import PICTURES
from lamina.data.place import File, Place, inside
from lamina.data.table import Media, Table
from lamina.ground.errors import listing

SAMPLE = 1_000
"""Different cells that are looked at before a column counts as paths."""

_ENDING = r"(?i)(" + "|".join(suffix.replace(".", r"\.") for suffix in PICTURES) + r")\s*$"
_PICTURE = re.compile(_ENDING)
_MOSTLY = 0.95


def path_columns(frame: pl.DataFrame) -> list[str]:
    """Columns of text in which nearly all cells end like the name of a picture; addresses on the web do not count."""
    found = []
    for column in frame.iter_columns():
        if column.dtype != pl.String or not any(_PICTURE.search(cell or "") for cell in column.head(20).to_list()):
            continue
        cells = column.drop_nulls().head(SAMPLE)
        looks = cells.str.contains(_ENDING) & ~cells.str.contains("://", literal=True)
        if len(cells) and looks.mean() >= _MOSTLY:  # type: ignore[operator]
            found.append(column.name)
    return found


def with_pictures(table: Table, file: File | None, given: Sequence[Place], places: Places) -> Table:
    """The table with its columns of paths turned into references, and the media to open them.

    Args:
        table: as read.
        file: where it was read from; None for a Python object, whose paths are looked up in the working folder.
        given: folders and archives that came as data with it.
        places: opens whatever else is needed.
    """
    names = [name for name in path_columns(table.frame) if name not in table.media]
    if not names:
        return table
    search = _Search(_near(file, given, places), _folder_of(file))
    media: dict[str, Media] = dict(table.media)
    notes = list(table.notes)
    frame = table.frame
    for name in names:
        cells = frame[name].drop_nulls().unique(maintain_order=True)
        if not any(search.find(cell) for cell in cells.head(SAMPLE)):
            looked = listing(dict.fromkeys(spot.place.name for spot in search.spots), 4)
            lost = "leads out of" if inside(cells[0]) is None else "was not found in"
            notes.append(
                f"{table.name}: {name!r} looks like paths to pictures, but {cells[0]!r} {lost} {looked}; "
                f"it is read as text. Give the folder or archive that holds them as data too."
            )
            continue
        found = {cell: reference for cell in cells if (reference := search.find(cell))}
        frame = frame.with_columns(pl.col(name).replace(found))
        media[name] = places
        if len(found) < len(cells):
            row = next(row for row, cell in enumerate(table.frame[name]) if cell is not None and cell not in found)
            cell = table.frame[name][row]
            out = ", which leads out of the folder" if inside(cell) is None else ""
            notes.append(
                f"{len(cells) - len(found):,} of {len(cells):,} pictures in {name!r} were not found; the first is "
                f"{cell!r} ({table.where(row)}){out}."
            )
    return replace(table, frame=frame, media=media, notes=tuple(notes))


@dataclass(frozen=True)
class _Spot:
    """A place to look in, and the folder inside it that paths are relative to."""

    place: Place
    folder: str = ""


@dataclass
class _Search:
    """Looks paths up, first where the last one was found; archives near by are opened only when nothing else has it."""

    more: Iterator[_Spot]
    """Where to look when no spot so far has a path."""
    beside: Path | None
    """The folder that relative paths start from; None inside an archive."""
    spots: list[_Spot] = field(default_factory=list)

    def find(self, path: str) -> str | None:
        if self.beside is not None and path.strip().replace("\\", "/").startswith("../"):
            path = os.path.join(self.beside, path.strip().replace("\\", "/"))  # allowed where it was given as well
        for number, spot in enumerate(chain(self.spots.copy(), self._opened())):
            member = spot.place.find(f"{spot.folder}/{path}" if spot.folder and not os.path.isabs(path) else path)
            if member is not None:
                self.spots.insert(0, self.spots.pop(number))
                return f"{spot.place.name}/{member}"
        return None

    def _opened(self) -> Iterator[_Spot]:
        for spot in self.more:
            self.spots.append(spot)
            yield spot


def _folder_of(file: File | None) -> Path | None:
    """The folder that a table lies in; the working folder for a Python object, None inside an archive."""
    local = Path.cwd() / "object" if file is None else file.place.local(file.member)
    return None if local is None else local.parent.resolve()


def _near(file: File | None, given: Sequence[Place], places: Places) -> Iterator[_Spot]:
    """Where to look, in order."""
    beside = _folder_of(file)
    if file is None and beside is not None:
        yield _Spot(places.at(beside))
    elif file is not None and beside is None:
        yield _Spot(file.place, file.member.rpartition("/")[0])
        yield _Spot(file.place)
    yield from map(_Spot, given)
    if file is not None and beside is not None:
        yield _Spot(places.at(beside))
        for entry in sorted(beside.iterdir()):
            leaves = not entry.resolve().is_relative_to(beside)  # a link: what it leads to must be given as data
            if not leaves and not entry.name.startswith(".") and (entry.is_dir() or archive_suffix(entry.name)):
                yield _Spot(places.at(entry))
