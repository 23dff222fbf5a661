"""A column of a table that holds paths to pictures: found beside the table, in what was given with it, or near it.

Each path is tried beside the table, then in the folders and archives given as data, then in the archives and folders
that lie beside the table. It may not leave them. What is found is written into the cell as a reference that names its
place (`train.zip/train/7.jpg`); what is not found stays as it is and is named when it is opened.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import polars as pl

from lamina.data.archive import archive_suffix
from lamina.data.media import Places
from lamina.data.picture import PICTURES
from lamina.data.place import File, Place
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
    search = _Search(_near(file, given, places))
    media: dict[str, Media] = dict(table.media)
    notes = list(table.notes)
    frame = table.frame
    for name in names:
        cells = frame[name].drop_nulls().unique(maintain_order=True)
        if not any(search.find(cell) for cell in cells.head(SAMPLE)):
            looked = listing(dict.fromkeys(spot.place.name for spot in search.spots), 4)
            notes.append(
                f"{table.name}: {name!r} looks like paths to pictures, but {cells[0]!r} was not found in {looked}; "
                f"it is read as text. Give the folder or archive that holds them as data too."
            )
            continue
        found = {cell: reference for cell in cells if (reference := search.find(cell))}
        frame = frame.with_columns(pl.col(name).replace(found))
        media[name] = places
        if len(found) < len(cells):
            row = next(row for row, cell in enumerate(table.frame[name]) if cell is not None and cell not in found)
            notes.append(
                f"{len(cells) - len(found):,} of {len(cells):,} pictures in {name!r} were not found; the first is "
                f"{table.frame[name][row]!r} ({table.where(row)})."
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
    spots: list[_Spot] = field(default_factory=list)

    def find(self, path: str) -> str | None:
        for number, spot in enumerate(chain(self.spots.copy(), self._opened())):
            member = spot.place.find(f"{spot.folder}/{path}" if spot.folder else path)
            if member is not None:
                self.spots.insert(0, self.spots.pop(number))
                return f"{spot.place.name}/{member}"
        return None

    def _opened(self) -> Iterator[_Spot]:
        for spot in self.more:
            self.spots.append(spot)
            yield spot


def _near(file: File | None, given: Sequence[Place], places: Places) -> Iterator[_Spot]:
    """Where to look, in order."""
    beside: Path | None = None
    if file is None:
        yield _Spot(places.at(Path.cwd()))
    elif (local := file.place.local(file.member)) is None:
        yield _Spot(file.place, file.member.rpartition("/")[0])
        yield _Spot(file.place)
    else:
        beside = local.parent.resolve()
    yield from map(_Spot, given)
    if beside is not None:
        yield _Spot(places.at(beside))
        for entry in sorted(beside.iterdir()):
            if not entry.name.startswith(".") and (entry.is_dir() or archive_suffix(entry.name)):
                yield _Spot(places.at(entry))
