"""What happened, a line a judgement, kept while it happens."""

import json
from collections.abc import Mapping
from pathlib import Path


class History:
    """Lines of JSON in a file; a line that was cut off by a crash is dropped when reading."""

    def __init__(self, path: Path | None):
        """Continue the history in `path`, or keep it in memory only when None."""
        self._path = path
        self.lines: list[dict[str, object]] = read_history(path) if path else []

    def add(self, line: Mapping[str, object]) -> None:
        """Append one line and write it out."""
        self.lines.append(dict(line))
        if self._path:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(self.lines[-1]) + "\n")

    def cut(self, count: int) -> None:
        """Forget all lines after the first `count`: a resumed training makes them again."""
        self.lines = self.lines[:count]
        if self._path:
            self._path.write_text("".join(json.dumps(line) + "\n" for line in self.lines), "utf-8")


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
