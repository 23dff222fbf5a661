"""A cell as words: given one by one as a list, parted by blanks, or found in running text."""

import json
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

Division = Literal["lists", "blanks"]
"""How the words of a column are given: as lists, or as texts whose words stand between blanks."""

_RUNNING = re.compile(r"https?://\S+|[@#]\w+|\w+(?:['\u2019.]\w+)*|[^\w\s]")
"""In running text: addresses and names of users whole, words with what joins their parts, each mark alone."""
_GAPLESS = re.compile(r"\S+")


class Words(NamedTuple):
    """The words of a cell and where they stand."""

    text: str
    """What a person reads; given words with a blank between them."""
    words: list[str]
    starts: list[int]
    """The character of `text` with which each word begins."""

    def end(self, place: int) -> int:
        """The character after a word."""
        return self.starts[place] + len(self.words[place])

    def between(self, first: int, end: int) -> str:
        """The text from one word to before another."""
        return self.text[self.starts[first] : self.end(end - 1)]


def listed(cell: str | None) -> list[str] | None:
    """The texts of a cell that holds a list of them in JSON, as lists are read from files; None for another cell."""
    if cell is None or cell[:1] != "[":
        return None
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(each, str) for each in found) else None


def division_of(cells: Iterable[str | None]) -> Division:
    """`lists` if each of these cells that holds anything is a list."""
    return "lists" if all(cell is None or listed(cell) is not None for cell in cells) else "blanks"


def divided(cell: str | None, division: Division) -> Words:
    """The words of a cell of a column that is divided so.

    Where words were given one by one, another cell is running text, in which they have to be found.
    """
    if cell is None:
        return Words("", [], [])
    if division == "blanks":
        return _found(_GAPLESS, cell)
    given = listed(cell)
    if given is None:
        return _found(_RUNNING, cell)
    starts, at = [], 0
    for word in given:
        starts.append(at)
        at += len(word) + 1
    return Words(" ".join(given), given, starts)


def _found(pattern: re.Pattern[str], text: str) -> Words:
    places = [(match.group(), match.start()) for match in pattern.finditer(text)]
    return Words(text, [word for word, _ in places], [start for _, start in places])


def entries(cell: str | None) -> list[str]:
    """What a cell of tags holds: the texts of a list, or what stands between blanks."""
    found = listed(cell)
    return found if found is not None else (cell or "").split()
