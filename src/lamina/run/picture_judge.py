"""Judging a network that makes pictures while it learns: from the same noise each time, beside held-out pictures."""

from pathlib import Path

import numpy as np

from lamina.ground import whole_file
from lamina.metrics import PICTURE_SETS, Metric, frechet
from lamina.network import Collate, Network
from lamina.run.judging import Judging
from lamina.run.prepared import Prepared
from lamina.run.sheet import png, sheet
from lamina.run.trained import raw_scores

JUDGED = 1_000
"""Pictures that are made at each judgement, at most."""
SHOWN = 8
"""Columns and rows of a frame of the film; with classes, a column for each of the first sixteen."""
_MOST_CLASSES = 16


class PictureJudge(Judging):
    """Figures of what a network makes for the rows to choose by."""

    def __init__(self, prepared: Prepared, collate: Collate, film: Path | None):
        """Judge beside the pictures of `prepared.judged`; with `film`, keep a sheet of pictures each time there."""
        assert prepared.eye is not None
        self._eye, self._collate, self._film = prepared.eye, collate, film
        ((self._output, part),) = prepared.plan.outputs.items()
        self._column = part.column
        self._rows = prepared.judged[:JUDGED]
        self._real = self._eye.look(np.asarray(prepared.blocks[f"outputs.{self._output}"].values[self._rows]))
        self._asked = asked_numbers(prepared, self._rows)
        self._frame, self._columns = frame_of(self._asked, len(self._rows))

    @property
    def decides(self) -> Metric:
        """What the result is judged by."""
        return PICTURE_SETS["frechet"].of(self._column)

    def __call__(self, network: Network, step: int) -> dict[str, float]:
        """The figures after a step."""
        raw = raw_scores(network, self._collate, self._rows)[self._output]
        made = network.outputs[self._output].decode(raw, {}).scores
        if self._film is not None:
            self._film.mkdir(parents=True, exist_ok=True)
            with whole_file(self._film / f"{step:07d}.png") as part:
                part.write_bytes(png(sheet(made[self._frame], self._columns)))
        seen = self._eye.look(made)
        figures = {f"{self._column}.frechet": frechet(seen.features, self._real.features)}
        if self._asked is not None and seen.classes is not None:
            figures[f"{self._column}.recognised"] = float((seen.classes == self._asked).mean())
        return figures


def asked_numbers(prepared: Prepared, rows: np.ndarray) -> np.ndarray | None:
    """(rows,) the number of the class that each row asks for, as the eye counts them; None without classes."""
    assert prepared.eye is not None
    asked = [part.columns[0] for part in prepared.plan.inputs.values() if part.kind == "category"]
    return prepared.eye.numbers(prepared.table.frame[asked[0]][rows].to_list()) if asked else None


def frame_of(asked: np.ndarray | None, rows: int) -> tuple[np.ndarray, int]:
    """Which of the rows a sheet shows, in order, and in how many columns: a column for each class."""
    if asked is None:
        return np.arange(min(SHOWN * SHOWN, rows)), SHOWN
    classes = np.unique(asked[asked >= 0])[:_MOST_CLASSES]
    by_class = [np.flatnonzero(asked == number)[:SHOWN] for number in classes]
    lines = min(len(some) for some in by_class)
    return np.stack([some[:lines] for some in by_class], axis=1).ravel(), len(classes)
