"""Classical models inside a budget, learned from samples that grow, with lines drawn as the network's are."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lamina.data import Column, Facts, Table
from lamina.outputs import CategoryOutput, LabelsOutput, OutputPlan, best_lines, lowest_share, with_line_at_half
from lamina.run.classical import Recipe
from lamina.run.features import Pictures, bytes_of, learn_features

FIRST_ROWS = 1_000
"""The first sample; how long it takes tells how large the next may be."""
GROWTH = 8
"""The next sample is at most this many times larger: times measured on few rows do not reach further."""
MOST_BYTES = 96 << 20
"""Of the matrix of a sample: while it is made and learned from, some five times as much is held."""
ROWS_AT_ONCE = 4_096
"""Rows answered together, to bound memory."""
HELD_OUT = 5
"""Where nothing is held out for all, one row in so many is kept from the model that draws lines."""

Scores = Callable[[Table, np.ndarray], np.ndarray]
"""(table, row numbers) -> scores in the form of `Answers.scores`."""


@dataclass(frozen=True)
class Lesson:
    """What classical models learn from."""

    table: Table
    inputs: Sequence[Column]
    output: OutputPlan
    facts: Facts
    rows: np.ndarray
    """With a usable target, in random order: the first so many are a sample."""
    targets: np.ndarray
    valid: np.ndarray
    """Rows to draw lines by; empty where an ensemble's networks take turns in holding rows out."""
    pictures: Pictures | None

    def fit(self, recipe: Recipe, seconds: float, size: int | None) -> tuple[Scores, int]:
        """A model of `size` rows, or of as many as the time allows; and how many these are."""
        if size is not None:
            used = min(size, len(self.rows))
            return self._model(recipe, used)[0], used
        if self._draws_lines and not len(self.valid):
            seconds /= 2  # another model will be learned to draw them
        return _within(lambda size: self._model(recipe, size), len(self.rows), seconds)

    def with_lines(self, recipe: Recipe, scores: Scores, used: int) -> Scores:
        """The scores of a model of the first `used` rows, with lines that are drawn as the network's are.

        Where nothing is held out for all, a model of four fifths of its rows draws them on the last fifth.
        """
        if not self._draws_lines:
            return scores
        if len(self.valid):
            judge, (rows, targets) = scores, usable(self.table, self.output, self.facts, self.valid)
        else:
            learned = used - used // HELD_OUT
            judge = self._model(recipe, learned)[0] if learned < used else scores
            rows, targets = self.rows[learned:used], self.targets[learned:used]
        if isinstance(self.output, LabelsOutput):
            return _with_lines(scores, judge(self.table, rows), targets)
        assert isinstance(self.output, CategoryOutput)
        return _turning_away(scores, self.output, judge(self.table, rows), targets)

    @property
    def _draws_lines(self) -> bool:
        return isinstance(self.output, LabelsOutput) or (
            isinstance(self.output, CategoryOutput) and self.output.turns_away
        )

    def _model(self, recipe: Recipe, size: int) -> tuple[Scores, int]:
        """A model of the first rows, as a function of any table's rows; and the bytes of the matrix it learned from."""
        rows, targets = self.rows[:size], self.targets[:size]
        features, matrix, categorical = learn_features(self.table, self.inputs, rows, recipe.form, self.pictures)
        answer = recipe.learn(matrix, targets, categorical)
        nothing = answer(matrix[:1])[:0]

        def scores(table: Table, rows: np.ndarray) -> np.ndarray:
            pieces = [rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE)]
            return np.concatenate([nothing, *(answer(features(table, piece)) for piece in pieces)])

        return scores, bytes_of(matrix)


def _within(learn: Callable[[int], tuple[Scores, int]], rows: int, seconds: float) -> tuple[Scores, int]:
    """The model of the largest sample that time and memory allow, and the size of that sample."""
    started = time.perf_counter()
    size = min(FIRST_ROWS, rows)
    while True:
        before = time.perf_counter()
        scores, held = learn(size)
        now = time.perf_counter()
        affordable = int(0.8 * size * (seconds - (now - started)) / (now - before))  # nothing grows quite in line
        larger = min(rows, affordable, size * MOST_BYTES // held, size * GROWTH)
        if larger < min(2 * size, rows) or size == rows:
            return scores, size
        size = larger


def _with_lines(scores: Scores, judged: np.ndarray, targets: np.ndarray) -> Scores:
    """Scores of labels moved so that the best line on rows not learned from lies at one half, as the network's are."""
    if len(judged) == 0:
        return scores
    lines = best_lines(judged, targets)
    return lambda table, rows: with_line_at_half(scores(table, rows), lines)


def _turning_away(scores: Scores, output: CategoryOutput, judged: np.ndarray, targets: np.ndarray) -> Scores:
    """Scores of classes that turn away as many rows in scope, of those not learned from, as the network may."""
    classes = judged[:, :-1]
    line = lowest_share(torch.from_numpy(classes[targets < classes.shape[1]].max(1, initial=0)), output.may_turn_away)

    def with_none(table: Table, rows: np.ndarray) -> np.ndarray:
        classes = scores(table, rows)[:, :-1]
        return np.concatenate([classes, np.full((len(classes), 1), line)], axis=1)

    return with_none


def usable(table: Table, output: OutputPlan, facts: Facts, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that have a target, and these targets as prepared."""
    blocks = [output.prepare(chunk, facts) for chunk in table.chunks(rows, output.columns)]
    if not blocks:
        return rows, np.empty(0)
    start, bad = 0, []
    for block in blocks:
        bad += [start + entry for entry in block.problems]
        start += len(block)
    targets = np.concatenate([block.by_row() for block in blocks])
    kept = np.setdiff1d(np.arange(len(rows)), np.array(bad, dtype=np.int64))
    return rows[kept], targets[kept]
