"""The public door of reading: whatever a person has, as one Table.

The one rule by which several things become one table:

1. Files of the same columns append, in the order given; inside a folder train comes first, then valid, then test,
   each by name. Files with differing columns are refused, and the columns named.
2. Names that say train, val/valid/validation/dev or test/t10k are used as that split, if at least two of the three
   are said; what says none is train. `test=` adds rows that are test.
3. If a column of a table names pictures that are found (see `references`), the tables are the rows and all pictures
   are opened through them. Tables inside a folder whose columns are others are left out, with a note.
4. Otherwise the rows come from one family: tables, arrays, pictures in folders, or, where there is nothing else, texts
   in folders, or files of lines that share a name (`train.en`, `train.de`: see `aligned`). Things given by name must be
   of one family. Inside a folder or archive the family with more than nine in ten of the data files is taken; the rest
   is left out, with a note; without such a majority it is refused, and so is a folder with more files that cannot be
   read than files that can.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from lamina.data.aligned import aligned_names, aligned_pieces
from lamina.data.archive import archive_suffix
from lamina.data.arrays import Named, array_pieces, named_arrays
from lamina.data.columnar import try_out
from lamina.data.dialogues import ENDINGS as DIALOGUES
from lamina.data.formats import ARRAYS, ONLY_NAMED, TABLES, TRIED_OUT, ending, is_document, refuse_file, refuse_place
from lamina.data.join import Piece, join, name_part
from lamina.data.media import Places
from lamina.data.objects import object_pieces
from lamina.data.picture import PICTURES
from lamina.data.pictures import picture_pieces
from lamina.data.place import File, Folder, Place, check_name
from lamina.data.references import with_pictures
from lamina.data.table import Table
from lamina.data.texts import text_pieces
from lamina.ground.errors import DataError, listing, nearest

MAJORITY = 0.9
"""The share of a folder's data files that a family must pass to be its rows."""

_ORDER = {None: 0, "train": 1, "valid": 2, "test": 3}


def read(sources: object, test: object = None) -> Table:
    """One table of everything given.

    Args:
        sources: a path or a Python object, or a list of them: files, folders and archives; pandas, Polars and Arrow
            tables, dicts of arrays, NumPy arrays, a tuple (inputs, answers), torch and Hugging Face datasets.
        test: the same, for rows that are only judged on.

    Raises:
        DataError: if something is missing, damaged, of no known format, or does not fit the rest; it names the file,
            the line where there is one, what was found and how to mend it.
        MachineError: if a format needs a package that is not installed.
    """
    places = Places()
    pieces = _rows(_listed(sources), places)
    if test is not None:
        said = {piece.part for piece in pieces} - {None}
        if len(said) > 1 and "test" in said:
            names = listing(dict.fromkeys(piece.table.name for piece in pieces if piece.part == "test"))
            raise DataError(f"The data already names test rows ({names}), and more are given as test. Leave one out.")
        pieces = [piece if len(said) > 1 and piece.part else replace(piece, part="train") for piece in pieces]
        pieces += [replace(piece, part="test") for piece in _rows(_listed(test), places)]
    return join(pieces)


def _listed(sources: object) -> list[object]:
    listed = list(sources) if isinstance(sources, list) else [sources]
    if not listed:
        raise DataError("No data is given. Give a file, a folder, or a table.")
    return listed


@dataclass
class _Found:
    """What one source holds."""

    name: str
    place: Place | None = None
    """The folder or archive; None for a single file."""
    inner: list[Place] = field(default_factory=list)
    """Archives inside the folder."""
    tables: list[File] = field(default_factory=list)
    arrays: list[File] = field(default_factory=list)
    pictures: list[tuple[Place, list[str]]] = field(default_factory=list)
    lines: list[File] = field(default_factory=list)
    """Files of an unknown suffix, which may be lines that belong together: see `aligned`."""
    texts: list[tuple[Place, list[str]]] = field(default_factory=list)
    """Only where there is nothing else: beside data, a .txt is as often a description."""
    others: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Files by family, without families that have none."""
        counts = {
            "tables": len(self.tables),
            "arrays": len(self.arrays),
            "pictures": sum(len(members) for _, members in self.pictures),
            "texts": sum(len(members) for _, members in self.texts),
            "files of lines": len(self.lines),
        }
        return {family: count for family, count in counts.items() if count}


@dataclass(frozen=True, eq=False)
class _ReadTable:
    table: Table
    found: _Found

    @property
    def names_pictures(self) -> bool:
        return any(isinstance(media, Places) for media in self.table.media.values())


def _rows(sources: Sequence[object], places: Places) -> list[Piece]:
    """The tables that sources come to, ready to be joined."""
    paths = [Path(source) for source in sources if isinstance(source, str | Path)]
    founds = iter([_look(path, paths, places) for path in paths])
    steps: list[_Found | object] = [next(founds) if isinstance(source, str | Path) else source for source in sources]
    seen = [step for step in steps if isinstance(step, _Found)]
    pieces = _file_pieces(seen, places) if seen else []
    given = _given(seen)
    for number, step in enumerate(step for step in steps if not isinstance(step, _Found)):
        name = "data" if len(steps) == 1 else f"data {number + 1}"
        for piece in object_pieces(step, name):
            pieces.append(replace(piece, table=with_pictures(piece.table, None, given, places)))
    return pieces


def _given(founds: Sequence[_Found]) -> list[Place]:
    return [place for found in founds if found.place for place in (found.place, *found.inner)]


def _look(path: Path, paths: Sequence[Path], places: Places) -> _Found:
    """What lies at a path."""
    path = path.expanduser()
    check_name(str(path))
    if not path.exists():
        there = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        column = len(paths) > 1 and str(path) == path.name and not path.suffix
        said = f" If it is the column to predict, say so when training: --predict {path.name}." if column else ""
        raise DataError(f"{path} does not exist.{nearest(path.name, there)} Paths start from {Path.cwd()}.{said}")
    if path.is_dir() or archive_suffix(path.name):
        place = places.at(path)
        found = _Found(place.name, place)
        _look_into(place, found, places)
        _sort_texts(found)
        if not found.counts:
            _take_lines(place, found)
        if not found.counts:
            _take_dialogues(place, found)
        if not found.counts:
            raise refuse_place(found.name, [*found.others, *found.documents])
        return found
    name = path.name if [other.name for other in paths].count(path.name) == 1 else str(path)
    found = _Found(name)
    file = File(Folder(path.parent, path.parent.name), path.name, name)
    if ending(path.name, TABLES):
        found.tables.append(file)
    elif ending(path.name, ARRAYS):
        found.arrays.append(file)
    elif ending(path.name, PICTURES):
        found.pictures.append((places.at(path.parent), [path.name]))
    else:
        found.lines.append(file)
    return found


def _look_into(place: Place, found: _Found, places: Places) -> None:
    """Sort the files of a folder or archive; archives inside a folder are looked into, those inside archives not."""
    pictures: list[str] = []
    texts: list[str] = []
    for member in place.members:
        file = File(place, member, f"{place.name}/{member}")
        local = place.local(member)
        if ending(member, PICTURES):
            pictures.append(member)
        elif is_document(member):
            found.documents.append(file.name)
        elif ending(member, TABLES) == ".txt":
            texts.append(member)
        elif (suffix := ending(member, TABLES)) and suffix not in ONLY_NAMED:
            found.tables.append(file)
        elif ending(member, ARRAYS):
            found.arrays.append(file)
        elif archive_suffix(member) and local is not None:
            found.inner.append(places.at(local))
        else:
            found.others.append(file.name)
    if pictures:
        found.pictures.append((place, pictures))
    if texts:
        found.texts.append((place, texts))
    if place is found.place:
        for inner in found.inner:
            _look_into(inner, found, places)
        found.tables.sort(key=_by_part)
        found.arrays.sort(key=_by_part)
        found.pictures.sort(key=lambda pair: _ORDER[name_part(f"{pair[0].name}/")])


def _sort_texts(found: _Found) -> None:
    """Texts are rows where nothing else is; a single one in a folder is a table or a book whose name was left out."""
    members = [f"{place.name}/{member}" for place, texts in found.texts for member in texts]
    if found.counts == {"texts": len(members)} and len(members) > 1:
        found.texts.sort(key=lambda pair: _ORDER[name_part(f"{pair[0].name}/")])
    else:
        found.others += members
        found.texts = []


def _take_lines(place: Place, found: _Found) -> None:
    """Files that belong together line by line, where a folder holds nothing else."""
    files = [File(place, name.removeprefix(f"{place.name}/"), name) for name in found.others]
    if aligned_names(files):
        found.lines, found.others = files, []


def _take_dialogues(place: Place, found: _Found) -> None:
    """Files of conversations, where a folder holds nothing else but descriptions."""
    names = [name for name in found.others if ending(name, TABLES) in DIALOGUES]
    if names and len(names) > MAJORITY * len(found.others):
        found.tables = [File(place, name.removeprefix(f"{place.name}/"), name) for name in names]
        found.others = [name for name in found.others if name not in names]


def _by_part(file: File) -> tuple[int, str]:
    return _ORDER[name_part(file.name)], file.name


def _file_pieces(founds: Sequence[_Found], places: Places) -> list[Piece]:
    """The rows of files, folders and archives, by rules 3 and 4."""
    lines = [file for found in founds for file in found.lines]
    together = aligned_names(lines)
    if lines and not together:
        raise refuse_file(lines[0])
    given = _given(founds)
    files = [(file, ending(file.member, TABLES)) for found in founds for file in found.tables]
    try_out((file, TRIED_OUT[suffix]) for file, suffix in files if suffix in TRIED_OUT)
    tables = [
        _ReadTable(with_pictures(table, file, given, places), found)
        for found in founds
        for file in found.tables
        for table in TABLES[ending(file.member, TABLES)](file)
    ]
    if any(read.names_pictures for read in tables):
        return _tables_with_pictures(tables, founds)
    chosen = {found.name: _family(found) for found in founds}
    families = set(chosen.values())
    if len(families) > 1:
        seen = listing(f"{name} holds {family}" for name, family in chosen.items())
        raise DataError(
            f"What is given does not go together: {seen}"
            f"{_why_not(tables, founds)}. Give one of them, or a table with a column of paths to the pictures."
        )
    family = families.pop()
    left_out = [name for found in founds for name in _left_out(found, family)]
    if family == "tables":
        pieces = [Piece(read.table, name_part(_whole_name(read))) for read in tables]
    elif family == "arrays":
        pieces = _array_rows([file for found in founds for file in found.arrays])
    elif family == "files of lines":
        pieces = aligned_pieces(together)
    elif family == "texts":
        pieces = text_pieces([pair for found in founds for pair in found.texts])
    else:
        pieces = picture_pieces([pair for found in founds for pair in found.pictures], places)
    return _noted(pieces, left_out)


def _whole_name(read: _ReadTable) -> str:
    """The name that may say a part: with the folder around a single file, `test/data.csv`."""
    if read.found.place is not None:
        return read.table.name
    folder = cast(Folder, read.found.tables[0].place).path.name
    return f"{folder}/{Path(read.found.tables[0].member).name}{read.table.name.removeprefix(read.found.name)}"


def _family(found: _Found) -> str:
    """The family that a source's rows come from."""
    counts = found.counts
    total = sum(counts.values())
    family = max(counts, key=lambda name: counts[name])
    seen = listing(f"{count:,} {name}" for name, count in counts.items())
    if counts[family] <= MAJORITY * total and len(counts) > 1:
        raise DataError(
            f"{found.name} holds {seen}: no family has more than nine in ten. Name the files that are the data."
        )
    if len(found.others) > total:
        raise DataError(
            f"{found.name} holds {seen}, but {len(found.others):,} files that cannot be read as such "
            f"({listing(found.others, 3)}). Name the files that are the data."
        )
    return family


def _why_not(tables: Sequence[_ReadTable], founds: Sequence[_Found]) -> str:
    """Why tables and pictures that are given together do not belong together."""
    if not tables or not any(found.pictures for found in founds):
        return ""
    example = next(members[0] for found in founds for _, members in found.pictures)
    return f", but no column of {tables[0].table.name} names the pictures, such as {example!r}"


def _tables_with_pictures(tables: Sequence[_ReadTable], founds: Sequence[_Found]) -> list[Piece]:
    """Rule 3: the tables that name pictures, and those of the same columns."""
    columns = [set(read.table.columns) for read in tables if read.names_pictures]
    kept = [read for read in tables if read.found.place is None or set(read.table.columns) in columns]
    left_out = [read.table.name for read in tables if read not in kept]
    for found in founds:
        if found.arrays and found.place is None:
            raise DataError(f"{found.name} holds arrays, which do not go with a table of pictures. Leave it out.")
        left_out += [file.name for file in found.arrays] + found.others
    return _noted([Piece(read.table, name_part(_whole_name(read))) for read in kept], left_out)


def _array_rows(files: Sequence[File]) -> list[Piece]:
    """Rows of array files: those of one array each are matched by name, a file of several is whole by itself."""
    single: list[Named] = []
    pieces: list[Piece] = []
    for file in files:
        arrays = named_arrays(file, ARRAYS[ending(file.member, ARRAYS)](file))
        if len(arrays) == 1:
            single += arrays
        else:
            pieces += array_pieces(arrays)
    return pieces + (array_pieces(single) if single else [])


def _left_out(found: _Found, family: str) -> list[str]:
    names = list(found.others)
    if family != "tables":
        names += [file.name for file in found.tables]
    if family != "arrays":
        names += [file.name for file in found.arrays]
    if family != "pictures":
        names += [f"{place.name}/{member}" for place, members in found.pictures for member in members]
    return names


def _noted(pieces: list[Piece], left_out: Sequence[str]) -> list[Piece]:
    if left_out:
        table = pieces[0].table
        note = f"Left out, as they are no rows of this data: {listing(left_out, 4)}."
        pieces[0] = replace(pieces[0], table=replace(table, notes=(*table.notes, note)))
    return pieces
