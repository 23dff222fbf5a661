"""Tagged sentences as CoNLL lays them out: a word and its tags on each line, an empty line after each sentence.

Read as a row for each sentence, with a list of words in the column `tokens` and a list for each column of tags; the
last one is the answer and is called `tags`.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from lamina.data._dialect import as_utf8, encoding_of
from lamina.data.place import File
from lamina.data.table import Origin, Table
from lamina.ground.errors import DataError

LOOKED_AT = 64 << 10
"""Bytes from which a file of no telling name is taken for tagged sentences."""
LONGEST = 500
"""Words of a sentence, on average, up to which groups of lines look like sentences."""
MOST_COLUMNS = 100
SPAN_TAG = re.compile(r"O|[BIESLU](-.+)?")
"""`B-place`, `I-place`, `O`: also with E and S, or L and U, for the last word and the only one."""

_UNIVERSAL = ("id", "tokens", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""Columns of Universal Dependencies: https://universaldependencies.org/format.html"""


class _Sentence(NamedTuple):
    line: int
    """Where it begins."""
    lines: list[list[str]]


def read_conll(file: File) -> list[Table]:
    """The one table of a file of tagged sentences.

    Raises:
        DataError: if it holds no sentence.
    """
    text, notes = _text(file)
    return [_table(text, file.name, notes)]


def tagged_or(otherwise: Callable[[File], Iterable[Table]]) -> Callable[[File], Iterable[Table]]:
    """A reader of tagged sentences where a text looks like such, and of what it may be otherwise."""

    def read(file: File) -> Iterable[Table]:
        head = file.head(LOOKED_AT)
        lines = head.decode("utf-8", errors="replace").split("\n")
        tagged = looks_tagged(lines[:-1] if len(head) == LOOKED_AT else lines)
        return read_conll(file) if tagged else otherwise(file)

    return read


def looks_tagged(lines: Sequence[str]) -> bool:
    """Whether lines are words with tags: groups of them, of as many cells each, the last of few kinds."""
    sentences = _sentences(lines)
    cells = [line for sentence in sentences for line in sentence.lines]
    if len(sentences) < 2 or len(cells) > LONGEST * len(sentences):
        return False
    width, agreed = Counter(map(len, cells)).most_common(1)[0]
    if width < 2 or agreed < 0.98 * len(cells):
        return False
    tags = [line[-1] for line in cells if len(line) == width]
    if all(SPAN_TAG.fullmatch(tag) for tag in tags):
        return True
    words = {line[0] for line in cells}
    plain = all(re.fullmatch(r"[^\W\d][\w$-]*|[^\w\s]+", tag) for tag in tags)
    return plain and len(set(tags)) <= min(100, len(tags) / 5) and len(words) > 2 * len(set(tags))


def _text(file: File) -> tuple[str, list[str]]:
    data = np.frombuffer(file.read(), np.uint8)
    encoding, mark, note = encoding_of(data, file.name)
    return as_utf8(data, encoding, mark, file.name).tobytes().decode(errors="replace"), [note] if note else []


def _sentences(lines: Sequence[str]) -> list[_Sentence]:
    """Groups of lines that are not empty, as cells; remarks and marks of documents are left out."""
    tabbed = sum("\t" in line.strip() for line in lines) * 2 > sum(bool(line.strip()) for line in lines)
    rows = [[cell.strip() for cell in (line.split("\t") if tabbed else line.split())] for line in lines]
    width = Counter(len(cells) for cells in rows if any(cells)).most_common(1)
    found: list[_Sentence] = []
    inside = False
    for number, cells in enumerate(rows, 1):
        if not any(cells) or cells[0] == "-DOCSTART-":
            inside = False
        elif not inside and cells[0].startswith("#") and len(cells) != width[0][0]:
            continue  # a remark before a sentence; `# O` is a word and its tag
        else:
            if not inside:
                found.append(_Sentence(number, []))
            found[-1].lines.append(cells)
            inside = True
    return found


def _table(text: str, where: str, notes: list[str]) -> Table:
    sentences = _sentences(text.split("\n"))
    if not sentences:
        raise DataError(f"{where} holds no sentence. Write a word and its tag on each line, an empty line between two.")
    width = Counter(len(line) for sentence in sentences for line in sentence.lines).most_common(1)[0][0]
    if width > MOST_COLUMNS:
        raise DataError(f"{where} has {width:,} columns; of sentences at most {MOST_COLUMNS} are read. Is it a table?")
    names = ["tokens", *(f"column_{number}" for number in range(2, width)), *(["tags"] if width > 1 else [])]
    if width == len(_UNIVERSAL) and all(re.fullmatch(r"\d+([-.]\d+)?", line[0]) for _, lines in sentences
                                        for line in lines):  # fmt: skip
        names = list(_UNIVERSAL)
        # Words of several lines (1-2) and those that were left unsaid (1.1) have no tag of their own.
        sentences = [_Sentence(at, [line for line in lines if line[0].isdigit()]) for at, lines in sentences]
    rows = [_row(sentence.lines, width) for sentence in sentences]
    frame = pl.DataFrame(
        {name: pl.Series(name, [row[place] for row in rows], dtype=pl.String) for place, name in enumerate(names)}
    )
    if names[0] == "id":
        frame = frame.drop("id")
    answer = "upos" if names[0] == "id" else "tags"
    origin = Origin(where, len(rows), lines=tuple(sentence.line for sentence in sentences))
    targets = (answer,) if answer in frame.columns else ()
    return Table(frame, origins=(origin,), notes=tuple(notes), targets=targets)


def _row(lines: Sequence[Sequence[str]], width: int) -> list[str]:
    """A sentence as a list for each column; what a line lacks, or has too much of, shows in the last one's length."""
    columns: list[list[str]] = [[] for _ in range(width)]
    for line in lines:
        for place, cell in enumerate(line):
            columns[min(place, width - 1)].append(cell)
    return [json.dumps(column, ensure_ascii=False) for column in columns]
