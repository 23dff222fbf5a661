"""Cells as a matrix for classical models: one form for trees, one for linear models, learned on given rows only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import polars as pl

from lamina.data import Column, Table
from lamina.ground import LazyModule
from lamina.inputs import has_words
from lamina.run.handmade import picture_features

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

decomposition, words = LazyModule("sklearn.decomposition"), LazyModule("sklearn.feature_extraction.text")
sparse = LazyModule("scipy.sparse")

Pictures = Callable[[Table, str, np.ndarray], np.ndarray]
"""(table, column, row numbers) -> (rows, channels, height, width) uint8, all of one size."""
Form = Literal["trees", "linear"]
Matrix: TypeAlias = "np.ndarray | csr_matrix"
Apply = Callable[[pl.Series], Matrix]
"""Cells of a column to (rows, features)."""

MOST_CODES = 254
"""Categories that boosted trees tell apart in one column; rarer ones count as gaps."""
MOST_ONE_HOT = 200
"""Categories of one column that a linear model has a weight for."""
WORDS, TOPICS = 30_000, 24
"""Words and word pairs that a linear model has a weight for; columns that trees see instead."""
PICTURES_AT_ONCE = 1_024
"""Pictures that are looked at together: five times what is seen in them is held while they are."""
RUNS = 6
"""The longest runs of symbols that count in texts without words."""


def learn_features(table: Table, columns: Sequence[Column], rows: np.ndarray, form: Form,
                   pictures: Pictures | None) -> tuple["Features", Matrix, np.ndarray]:  # fmt: skip
    """How to make a matrix of columns, learned on some rows.

    Args:
        table: typed cells; see `Chunk`.
        columns: the inputs.
        rows: row numbers to learn categories, words, means and spreads from.
        form: `trees` keeps gaps and category codes; `linear` fills, scales and spreads them out.
        pictures: how to look at the pictures of an image column.

    Returns:
        The way, (rows, features) of these rows, and (features,) which of them are category codes.
    """
    apply: dict[str, Apply] = {}
    parts, categorical = [], []
    for column in columns:
        cells = _cells(table, column, rows, pictures)
        apply[column.name] = LEARN[form][column.kind](cells)
        parts.append(apply[column.name](cells))
        categorical += [form == "trees" and column.kind == "category"] * parts[-1].shape[1]
    return Features(columns, apply, pictures), _joined(parts), np.array(categorical, dtype=bool)


@dataclass(frozen=True)
class Features:
    """Columns of any table as a matrix, in a way that was learned."""

    columns: Sequence[Column]
    apply: Mapping[str, Apply]
    pictures: Pictures | None

    def __call__(self, table: Table, rows: np.ndarray) -> Matrix:
        """(rows, features)."""
        return _joined([self.apply[column.name](_cells(table, column, rows, self.pictures)) for column in self.columns])


def _cells(table: Table, column: Column, rows: np.ndarray, pictures: Pictures | None) -> pl.Series:
    """Cells as they are; of a picture, what was seen in it."""
    if column.kind != "image":
        return table.frame[column.name][rows]
    assert pictures is not None
    pieces = [rows[start : start + PICTURES_AT_ONCE] for start in range(0, len(rows), PICTURES_AT_ONCE)] or [rows]
    seen = np.concatenate([picture_features(pictures(table, column.name, piece)) for piece in pieces])
    return pl.Series(column.name, seen, dtype=pl.Array(pl.Float32, seen.shape[1]))


def _joined(parts: list[Matrix]) -> Matrix:
    if any(sparse.issparse(part) for part in parts):
        return sparse.hstack(parts, format="csr")
    return np.hstack(parts)


def bytes_of(matrix: Matrix) -> int:
    """What a matrix takes in memory."""
    if isinstance(matrix, np.ndarray):
        return max(matrix.nbytes, 1)
    return int(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)


def _values(cells: pl.Series) -> np.ndarray:
    """(rows, 1) with gaps and infinities as not a number."""
    values = cells.cast(pl.Float64).fill_null(float("nan")).to_numpy().copy()
    values[~np.isfinite(values)] = np.nan
    return values[:, None]


def _clock(cells: pl.Series) -> np.ndarray:
    """(rows, 6): the moment itself, and where it lies in the year, month, week and day."""
    cells = cells.cast(pl.Datetime("us"))
    parts = [cells.dt.epoch("s"), cells.dt.year(), cells.dt.month(), cells.dt.day(), cells.dt.weekday()]
    return np.hstack([_values(part) for part in [*parts, cells.dt.hour()]])


def _as_is(look: Callable[[pl.Series], np.ndarray]) -> Callable[[pl.Series], Apply]:
    return lambda cells: look


def _scaled(look: Callable[[pl.Series], np.ndarray]) -> Callable[[pl.Series], Apply]:
    """Values as standard deviations from the mean, gaps at the mean and marked in columns of their own."""

    def learn(cells: pl.Series) -> Apply:
        seen = look(cells)
        known = ~np.isnan(seen)
        count = known.sum(0).clip(1)
        mean = np.where(known, seen, 0).sum(0) / count
        spread = np.sqrt(np.where(known, (seen - mean) ** 2, 0).sum(0) / count)
        spread[spread == 0] = 1
        gappy = ~known.all(0)

        def apply(cells: pl.Series) -> np.ndarray:
            values = look(cells)
            gaps = np.isnan(values)
            return np.hstack([np.where(gaps, 0, (values - mean) / spread), gaps[:, gappy].astype(np.float64)])

        return apply

    return learn


def _most_frequent(cells: pl.Series, most: int) -> dict[str, int]:
    """Categories and their codes, the most frequent first; ties by name, so that a rerun agrees."""
    counts = cells.cast(pl.String).drop_nulls().alias("word").value_counts(name="rows")
    ordered = counts.sort(["rows", "word"], descending=[True, False])["word"].head(most)
    return {name: code for code, name in enumerate(ordered)}


def _coded(cells: pl.Series, codes: Mapping[str, int]) -> pl.Series:
    names, numbers = list(codes), list(codes.values())
    return cells.cast(pl.String).replace_strict(names, numbers, default=None, return_dtype=pl.Int64)


def _codes(cells: pl.Series) -> Apply:
    codes = _most_frequent(cells, MOST_CODES)
    return lambda cells: _values(_coded(cells, codes))


def _one_hot(cells: pl.Series) -> Apply:
    codes = _most_frequent(cells, MOST_ONE_HOT)

    def apply(cells: pl.Series) -> Matrix:
        places = _coded(cells, codes).fill_null(-1).to_numpy()
        rows = np.flatnonzero(places >= 0)
        ones = np.ones(len(rows))
        return sparse.csr_matrix((ones, (rows, places[rows])), shape=(len(places), max(len(codes), 1)))

    return apply


def _words(cells: pl.Series) -> Apply:
    """Weights of words and word pairs, by how rare they are, or of short runs of symbols where texts have no words.

    Nothing at all where no cell has a word.
    """
    texts = cells.fill_null("").to_list()
    words_in = [len(text.split()) for text in texts]
    if not has_words(sum(map(bool, words_in)), sum(words_in), sum(map(len, texts))):
        counter = words.TfidfVectorizer(
            analyzer="char", ngram_range=(1, RUNS), max_features=WORDS, sublinear_tf=True, lowercase=False
        )
    else:
        counter = words.TfidfVectorizer(
            ngram_range=(1, 2), max_features=WORDS, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"
        )
    if not any(counter.build_analyzer()(text) for text in texts):
        return lambda cells: sparse.csr_matrix((len(cells), 1))
    counter.fit(texts)
    return lambda cells: counter.transform(cells.fill_null("").to_list())


def _topics(cells: pl.Series) -> Apply:
    """The directions in which texts differ most, as many as trees can do with."""
    words = _words(cells)
    seen = words(cells)
    most = min(TOPICS, seen.shape[1] - 1, seen.shape[0] - 1)
    if most < 1:
        return lambda cells: sparse.csr_matrix(words(cells)).toarray()
    topics = decomposition.TruncatedSVD(most, n_iter=2, random_state=0).fit(seen)
    return lambda cells: topics.transform(words(cells))


def _stacked(cells: pl.Series) -> np.ndarray:
    return cells.to_numpy().astype(np.float64)


LEARN: Mapping[Form, Mapping[str, Callable[[pl.Series], Apply]]] = {
    "trees": {
        "number": _as_is(_values), "category": _codes, "moment": _as_is(_clock), "text": _topics,
        "image": _as_is(_stacked),
    },
    "linear": {
        "number": _scaled(_values), "category": _one_hot, "moment": _scaled(_clock), "text": _words,
        "image": _scaled(_stacked),
    },
}  # fmt: skip
