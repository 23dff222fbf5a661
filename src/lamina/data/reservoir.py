"""A fair sample of rows from a stream of unknown length, in bounded memory."""

import numpy as np

from lamina.ground.seed import numpy_generator

KEPT_ROWS = 50_000
"""Rows that quantiles are taken from: their error is then below half a percent of the rows."""


class Reservoir:
    """Every row seen so far lies in the sample with the same chance (Vitter 1985, algorithm R).

    The sample depends on the rows and their order only, not on how they were cut into chunks.
    """

    def __init__(self, columns: int, rows: int = KEPT_ROWS):
        """An empty sample of at most `rows` rows with this many columns."""
        self._kept = np.empty((0, columns))
        self._rows = rows
        self._generator = numpy_generator("reservoir", columns)
        self.seen = 0
        """Rows looked at."""

    def add(self, values: np.ndarray) -> None:
        """Look at more rows, (rows, columns) of float64."""
        room = self._rows - len(self._kept)
        if room > 0:
            self._kept = np.concatenate([self._kept, values[:room]])
            self.seen += len(values[:room])
            values = values[room:]
        if not len(values):
            return
        order = np.arange(self.seen, self.seen + len(values))
        places = (self._generator.random(len(values)) * (order + 1)).astype(np.int64)
        # Of several rows for one place the last one stays, as if they had come one by one.
        places, last = np.unique(places[::-1], return_index=True)
        inside = places < self._rows
        self._kept[places[inside]] = values[::-1][last[inside]]
        self.seen += len(values)

    @property
    def sample(self) -> np.ndarray:
        """(rows kept, columns): all rows while they are few."""
        return self._kept
