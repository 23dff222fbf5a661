"""What happened, a line a judgement, kept while it happens."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from lamina.ground import whole_file


class History:
    """Lines of JSON in a file; a line that was cut off by a crash is dropped when reading."""

    def __init__(self, path: Path | None):
        """Continue the history in `path`, or keep it in memory only when None."""
        self._path = path
        self.lines: list[dict[str, object]] = read_history(path) if path else []

    def add(self, line: Mapping[str, object]) -> None:
        """Append one line and write it out; what a full disk does not take is written by `write`."""
        self.lines.append(dict(line))
        if self._path:
            with contextlib.suppress(OSError), self._path.open("a", encoding="utf-8") as file:
                file.write(_text([self.lines[-1]]))

    def replace(self, lines: Iterable[Mapping[str, object]]) -> None:
        """These lines and no others: a training that is resumed makes the later ones again."""
        self.lines = [dict(line) for line in lines]
        self.write()

    def write(self) -> None:
        """Write all lines anew, whole.

        Raises:
            OSError: if the disk is full or failing.
        """
        if self._path:
            with whole_file(self._path) as part:
                part.write_text(_text(self.lines), "utf-8")


def _text(lines: Iterable[Mapping[str, object]]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def read_history(path: Path) -> list[dict[str, object]]:
    """The whole lines of a history file; [] when there is none."""
    lines = []
    if path.exists():
        for text in path.read_text("utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except json.JSONDecodeError:
                break
    return lines
