"""Simpler ways to answer in words: the text itself, copied, and what was answered to the likest text of training."""

import time
from collections.abc import Sequence

import numpy as np
import polars as pl
import torch

from lamina.data import Column, Facts, Table, in_rows
from lamina.ground import LazyModule
from lamina.outputs import ReplyOutput, TextOutput, lowest_share
from lamina.run.lesson import HELD_OUT

text_features = LazyModule("sklearn.feature_extraction.text")

_AT_ONCE = 256


class Usual:
    """Scores of rows by the commonest answer of training."""

    def __init__(self, facts: Facts):
        """`usual` of the output's facts."""
        self._usual = str(facts["usual"])

    def __call__(self, table: Table, rows: np.ndarray) -> np.ndarray:
        """(rows,) the same text for each."""
        return in_rows([self._usual] * len(rows))


class Copy:
    """Scores of rows by the text itself."""

    def __init__(self, column: str):
        """The column that is copied."""
        self._column = column

    def __call__(self, table: Table, rows: np.ndarray) -> np.ndarray:
        """(rows,) of texts."""
        return in_rows(_texts(table, self._column, rows))


class Nearest:
    """Scores of rows by the answer to the likest text of training: that with the most rare phrases in common."""

    def __init__(self, table: Table, source: str, target: str, train: np.ndarray):
        """Keep the training rows, weighted by how rare their words and pairs of words are (TF-IDF)."""
        self._source = source
        self._answers = _texts(table, target, train)
        self._weights = text_features.TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
        self._known = self._weights.fit_transform(_texts(table, source, train)).T.tocsc()

    def __call__(self, table: Table, rows: np.ndarray) -> np.ndarray:
        """(rows,) of texts."""
        found: list[str] = []
        for start in range(0, len(rows), _AT_ONCE):
            asked = self._weights.transform(_texts(table, self._source, rows[start : start + _AT_ONCE]))
            likest = np.asarray((asked @ self._known).argmax(axis=1)).ravel()
            found += [self._answers[row] for row in likest]
        return in_rows(found)


class NearestQuestion:
    """Scores of known answers by the likest question of training that each was given to; none of them below a line."""

    def __init__(self, table: Table, output: ReplyOutput, facts: Facts, train: np.ndarray, valid: np.ndarray):
        """Keep the training questions, and draw the line on validation rows as the network does."""
        self._source = output.question
        (chunk,) = table.chunks(train, output.columns, max(len(train), 1))
        self._given = output.prepare(chunk, facts).values[:, 0]
        self._answers = len(facts["answers"])  # type: ignore[arg-type]
        self._weights = text_features.TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
        self._known = self._weights.fit_transform(_texts(table, self._source, train)).T.tocsc()
        self._line = 0.0
        if len(valid):
            (chunk,) = table.chunks(valid, output.columns, len(valid))
            answerable = valid[(output.prepare(chunk, facts).values >= 0).any(1)]
            surest = torch.from_numpy(self(table, answerable)[:, :-1].max(1, initial=0))
            self._line = lowest_share(surest, output.none)
        elif (
            len(held := train[::HELD_OUT]) > 1
        ):  # nothing is held out for all: a part of the questions, asked of the rest
            self._line = NearestQuestion(table, output, facts, np.setdiff1d(train, held), held)._line

    def __call__(self, table: Table, rows: np.ndarray) -> np.ndarray:
        """(rows, answers + 1) of cosines."""
        scores = np.full((len(rows), self._answers + 1), self._line)
        scores[:, :-1] = 0
        for start in range(0, len(rows), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            asked = self._weights.transform(_texts(table, self._source, rows[some]))
            np.maximum.at(scores[some].T, self._given, (asked @ self._known).toarray().T)
        return scores


def fit_replies(table: Table, columns: Sequence[Column], output: TextOutput, train: np.ndarray
                ) -> list[tuple[str, Copy | Nearest, int, float]]:  # fmt: skip
    """(name, scores, rows learned from, seconds) of what answers in words without a network."""
    sources = [column.name for column in columns if column.role == "input" and column.kind == "text"]
    if not sources:
        return []
    started = time.perf_counter()
    nearest = Nearest(table, sources[0], output.column, train)
    spent = time.perf_counter() - started
    return [("copy", Copy(sources[0]), 0, 0.0), ("answer to the likest text", nearest, len(train), spent)]


def _texts(table: Table, column: str, rows: np.ndarray) -> list[str]:
    return list(table.frame[column][rows].cast(pl.String).fill_null(""))
