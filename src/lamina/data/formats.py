"""What can be read, by the end of a file's name; and the refusal of all else."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from lamina.data.archive import ARCHIVES
from lamina.data.arrays import read_npy, read_npz
from lamina.data.columnar import read_arrow, read_parquet
from lamina.data.conll import read_conll, tagged_or
from lamina.data.delimited import read_delimited
from lamina.data.dialogues import read_dialogues
from lamina.data.excel import read_excel
from lamina.data.idx import read_idx
from lamina.data.picture import PICTURES
from lamina.data.place import File
from lamina.data.prose import read_text_file
from lamina.data.table import Table
from lamina.data.typed import read_json, read_sqlite
from lamina.ground.errors import DataError, listing

TABLES: dict[str, Callable[[File], Iterable[Table]]] = {
    ".csv": read_delimited,
    ".tsv": tagged_or(read_delimited),
    ".tab": tagged_or(read_delimited),
    ".txt": tagged_or(read_text_file),
    ".conll": read_conll,
    ".conllu": read_conll,
    ".iob": read_conll,
    ".iob2": read_conll,
    ".bio": read_conll,
    ".data": read_delimited,
    ".dat": read_delimited,
    ".parquet": read_parquet,
    ".arrow": read_arrow,
    ".feather": read_arrow,
    ".ipc": read_arrow,
    ".jsonl": read_json,
    ".ndjson": read_json,
    ".json": read_json,
    ".yml": read_dialogues,
    ".yaml": read_dialogues,
    ".xlsx": read_excel,
    ".xls": read_excel,
    ".ods": read_excel,
    ".sqlite": read_sqlite,
    ".sqlite3": read_sqlite,
    ".db": read_sqlite,
}
"""Files of rows and columns. A name may end in .gz behind any of these."""

TRIED_OUT = {".parquet": "Parquet", ".arrow": "Arrow", ".feather": "Arrow", ".ipc": "Arrow"}
"""What is read by a process of its own first: see `columnar.try_out`."""

ARRAYS: dict[str, Callable[[File], dict[str, np.ndarray]]] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".idx": read_idx,
    "-ubyte": read_idx,
    ".ubyte": read_idx,
}
"""Files of arrays."""

ONLY_NAMED = frozenset({".txt", ".data", ".dat", ".json", ".yml", ".yaml"})
"""Read only when named as data themselves: inside a folder they are as often a description or a setting. A folder of
nothing but YAML is one of conversations."""

_DOCUMENT = re.compile(r"(?i)(^|/)(readme|licen[cs]e|copying|citation|changelog|sources)[^/]*$|\.(md|rst|pdf|html?)$")
_LATER = {
    "recordings": {".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus"},
    "videos": {".mp4", ".avi", ".mov", ".mkv", ".webm"},
}


def ending(name: str, endings: Iterable[str]) -> str:
    """The longest of some endings that a file's name has, without regard to .gz and capitals; or an empty string."""
    name = name.lower().removesuffix(".gz")
    return max((one for one in endings if name.endswith(one)), key=len, default="")


def is_document(member: str) -> bool:
    """Whether a file tells about the data and is none: a README, a licence, a .pdf."""
    return _DOCUMENT.search(member) is not None


def what_is_read() -> str:
    """The formats, for messages."""
    return (
        f"Tables ({listing(TABLES, 30)}), pictures ({listing(PICTURES, 30)}), arrays ({listing(ARRAYS, 30)}), and "
        f"folders or archives ({listing(ARCHIVES, 30)}) of these are read"
    )


def refuse_file(file: File) -> DataError:
    """The error for a single file that cannot be read."""
    suffix = "." + file.plain_name.rpartition(".")[2] if "." in file.plain_name else "no suffix"
    return DataError(
        f"{file.name} cannot be read: {_kind(suffix)}, and it begins with {file.head(16)!r}. {what_is_read()}."
    )


def refuse_place(name: str, members: Sequence[str]) -> DataError:
    """The error for a folder or archive without anything that can be read."""
    if not members:
        return DataError(f"{name} holds no file. {what_is_read()}.")
    counts = Counter(_suffix(member) for member in members)
    seen = listing(f"{count:,} {suffix}" for suffix, count in counts.most_common())
    later = _kind(counts.most_common(1)[0][0])
    named = [suffix for suffix in counts if suffix in ONLY_NAMED]
    hint = f" If a {listing(named)} file is a table, name the file itself." if named else ""
    return DataError(f"{name} holds nothing that can be read: {seen} ({later}). {what_is_read()}.{hint}")


def _suffix(member: str) -> str:
    name = member.rpartition("/")[2].lower().removesuffix(".gz")
    return "." + name.rpartition(".")[2] if "." in name else "no suffix"


def _kind(suffix: str) -> str:
    for what, suffixes in _LATER.items():
        if suffix in suffixes:
            return f"{what} are not read yet"
    return "this format is not known" if suffix.startswith(".") else "its name has no suffix"
