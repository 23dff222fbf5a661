"""What simpler ways give: the same answer for every row, and classical models, learned from the same training rows."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from lamina.data import Column, Facts, Table
from lamina.ground import permutation
from lamina.metrics import bleu_signature
from lamina.outputs import (
    CategoryOutput,
    LabelsOutput,
    NextOutput,
    NumberOutput,
    OutputPlan,
    ReplyOutput,
    Scale,
    TagsOutput,
    TextOutput,
    best_lines,
    lowest_share,
    with_line_at_half,
)
from lamina.run.classical import Recipe, boosted_trees, linear_model, linear_on_pictures, linear_on_texts
from lamina.run.features import Pictures, learn_features
from lamina.run.ngrams import UsualTokens, fit_ngrams
from lamina.run.replies import NearestQuestion, Usual, fit_replies

FIRST_ROWS = 1_000
"""The first sample; how long it takes tells how large the next may be."""
GROWTH = 8
"""The next sample is at most this many times larger: times measured on few rows do not reach further."""
ROWS_AT_ONCE = 4_096
"""Rows answered together, to bound memory."""
MOST_CLASSES = 100
"""Classes up to which boosted trees are tried: they grow a tree for each, every round."""
MOST_LABELS = 50
"""The same for labels, each of which is a model of its own."""

Scores = Callable[[Table, np.ndarray], np.ndarray]
"""(table, row numbers) -> scores in the form of `Answers.scores`."""


@dataclass(frozen=True)
class Baseline:
    """A simpler way to answer."""

    name: str
    """For people: `boosted trees`."""
    scores: Scores
    """(table, row numbers) -> scores in the form of `Answers.scores`; the table may be another of the same columns."""
    naive: bool
    """Whether it looks at no input."""
    rows: int
    """Training rows learned from."""
    seconds: float = 0.0
    """Spent on learning."""
    note: str = ""
    """What a person should know: that it learned from a sample, or on logarithms."""


class Baselines(NamedTuple):
    """What there is to compare with."""

    found: list[Baseline]
    """The naive one first."""
    notes: list[str]
    """Models that were left out, and why."""


def fit_baselines(table: Table, columns: Sequence[Column], output: OutputPlan, facts: Facts, train: np.ndarray,
                  valid: np.ndarray, seconds: float, seed: int, pictures: Pictures | None = None,
                  sizes: Mapping[str, int] | None = None) -> Baselines:  # fmt: skip
    """Simpler ways to answer one output, learned inside a budget.

    Each model is learned from growing random samples of the training rows until all are used or the budget would
    not suffice for more. `valid` serves only to draw lines as the network does, of labels and of what is outside;
    nothing is learned from it.

    Args:
        table: typed cells, as a `Chunk` holds them.
        columns: all columns; those with the role of an input are used.
        output: what is predicted.
        facts: what `output.fit` learned on `train`.
        train: row numbers to learn from; rows without a usable target are left out here.
        valid: row numbers of validation.
        seconds: for all models together; the first sample of each is learned from whatever it takes.
        seed: decides the samples.
        pictures: how to look at image columns; without it they are left out, which is noted.
        sizes: rows by name of model from an earlier run, in place of decisions by the clock; others are not learned.

    Returns:
        The naive answer first, then classical models; and notes on what was left out.
    """
    found = [naive_baseline(output, facts)]
    notes: list[str] = []
    if isinstance(output, NextOutput):
        started = time.perf_counter()
        grams = fit_ngrams(table, output, facts, train, valid)
        name, spent = f"{grams.model.order + 1}-grams of characters", time.perf_counter() - started
        found.append(Baseline(name, grams, False, grams.rows, spent, _note(grams.rows, len(train), output, facts)))
        return Baselines(found, notes)
    if isinstance(output, TextOutput):
        replies = fit_replies(table, columns, output, train)
        found += [Baseline(name, scores, False, rows, seconds) for name, scores, rows, seconds in replies]
        return Baselines(found, [f"BLEU as sacrebleu counts it: {bleu_signature()}"])
    if isinstance(output, ReplyOutput):
        started = time.perf_counter()
        nearest = NearestQuestion(table, output, facts, train, valid)
        name, spent = "answer to the likest question", time.perf_counter() - started
        found.append(Baseline(name, nearest, False, len(train), spent))
        return Baselines(found, notes)
    inputs = [column for column in columns if column.role == "input" and column.name != output.column]
    blind = [column.name for column in inputs if column.kind == "image" and pictures is None]
    if blind:
        notes.append(f"Classical models were not shown the pictures of {blind[0]!r}.")
        inputs = [column for column in inputs if column.name not in blind]
    recipes = _recipes(inputs, output, facts, notes)
    rows, targets = _usable(table, output, facts, train)
    order = permutation(len(rows), seed, "baselines")
    rows, targets = rows[order], targets[order]
    left = seconds
    for place, recipe in enumerate(recipes):
        if sizes is not None and recipe.name not in sizes:
            continue
        started = time.perf_counter()

        def learn(size: int, recipe: Recipe = recipe) -> Scores:
            return _learn(recipe, table, inputs, rows[:size], targets[:size], pictures)

        if sizes is not None:
            used = min(sizes[recipe.name], len(rows))
            scores = learn(used)
        else:
            scores, used = _within(learn, len(rows), left / (len(recipes) - place))
        if isinstance(output, LabelsOutput):
            scores = _with_lines(scores, table, *_usable(table, output, facts, valid))
        if isinstance(output, CategoryOutput) and output.turns_away:
            scores = _turning_away(scores, output, table, *_usable(table, output, facts, valid))
        spent = time.perf_counter() - started
        left = max(left - spent, 0.0)
        found.append(Baseline(recipe.name, scores, False, used, spent, _note(used, len(rows), output, facts)))
    return Baselines(found, notes)


def naive_baseline(output: OutputPlan, facts: Facts) -> Baseline:
    """The best answer that looks at no input: shares of classes or labels, the mean or median; of tags, at one word."""
    match output:
        case TagsOutput():

            def by_word(table: Table, rows: np.ndarray) -> np.ndarray:
                return output.by_word(table.frame[output.words][rows], facts)

            rows = int(facts["rows"])  # type: ignore[call-overload]
            return Baseline("most frequent tag of each word", by_word, False, rows)
        case CategoryOutput():
            counts = np.asarray(facts["counts"], dtype=np.float64)
            best, name = counts / counts.sum(), "always the most frequent class"
            rows = int(counts.sum())
        case LabelsOutput():
            rows = int(facts["rows"])  # type: ignore[call-overload]
            best, name = np.asarray(facts["counts"]) / rows, "always the usual labels"
        case NumberOutput():
            rows = int(facts["rows"])  # type: ignore[call-overload]
            start = torch.tensor(float(facts["start"]), dtype=torch.float64)  # type: ignore[arg-type]
            middle = "geometric mean" if facts["transform"] == "log" else "mean"
            middle = {"mae": "median", "quantile": f"{output.quantile:g} quantile"}.get(output.loss, middle)
            best, name = Scale.of(facts).units(start).numpy(), f"always the {middle}"
        case NextOutput():
            rows = int(facts["rows"])  # type: ignore[call-overload]
            return Baseline(f"always the usual {facts['unit']}", UsualTokens(output, facts), True, rows)
        case ReplyOutput():
            counts = np.append(np.asarray(facts["counts"], dtype=np.float64), 0)
            best, name = counts / counts.sum(), "always the commonest answer"
            rows = int(counts.sum())
        case TextOutput():
            return Baseline("always the commonest answer", Usual(facts), True, int(facts["rows"]))  # type: ignore[call-overload]
        case _:
            raise TypeError(f"there is no naive answer for outputs of kind {output.kind!r}")

    def scores(table: Table, rows: np.ndarray) -> np.ndarray:
        return np.repeat(best[None], len(rows), axis=0)

    return Baseline(name, scores, True, rows)


def _recipes(inputs: Sequence[Column], output: OutputPlan, facts: Facts, notes: list[str]) -> list[Recipe]:
    """The classical models that suit these inputs, the cheaper first: it leaves its unspent time to the other."""
    if isinstance(output, TagsOutput):
        return []
    kinds = {column.kind for column in inputs}
    if not kinds:
        notes.append("There was no input that a classical model could look at.")
        return []
    if isinstance(output, LabelsOutput) and len(facts["labels"]) > MOST_LABELS:  # type: ignore[arg-type]
        notes.append(f"No classical model was tried: {len(facts['labels'])} labels are too many.")  # type: ignore[arg-type]
        return []
    machine = "ridge regression" if isinstance(output, NumberOutput) else "support vector machine"
    if kinds == {"image"}:
        return [Recipe(f"{machine} on edges and corners", "linear", partial(linear_on_pictures, output, facts))]
    if kinds == {"text"}:
        return [Recipe(f"{machine} on words", "linear", partial(linear_on_texts, output, facts))]
    linear = Recipe("linear model", "linear", partial(linear_model, output, facts))
    if isinstance(output, CategoryOutput) and len(facts["classes"]) > MOST_CLASSES:  # type: ignore[arg-type]
        notes.append(f"Boosted trees were not tried: {len(facts['classes'])} classes are too many.")  # type: ignore[arg-type]
        return [linear]
    return [linear, Recipe("boosted trees", "trees", partial(boosted_trees, output, facts))]


def _usable(table: Table, output: OutputPlan, facts: Facts, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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


def _learn(recipe: Recipe, table: Table, inputs: Sequence[Column], rows: np.ndarray, targets: np.ndarray,
           pictures: Pictures | None) -> Scores:  # fmt: skip
    """One model from these rows, as a function of any table's rows."""
    features, matrix, categorical = learn_features(table, inputs, rows, recipe.form, pictures)
    answer = recipe.learn(matrix, targets, categorical)
    nothing = answer(matrix[:1])[:0]

    def scores(table: Table, rows: np.ndarray) -> np.ndarray:
        pieces = [rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE)]
        return np.concatenate([nothing, *(answer(features(table, piece)) for piece in pieces)])

    return scores


def _within(learn: Callable[[int], Scores], rows: int, seconds: float) -> tuple[Scores, int]:
    """The model of the largest sample that the budget allows, and the size of that sample."""
    started = time.perf_counter()
    size = min(FIRST_ROWS, rows)
    while True:
        before = time.perf_counter()
        scores = learn(size)
        now = time.perf_counter()
        affordable = int(0.8 * size * (seconds - (now - started)) / (now - before))  # nothing grows quite in line
        larger = min(rows, affordable, size * GROWTH)
        if larger < min(2 * size, rows) or size == rows:
            return scores, size
        size = larger


def _with_lines(scores: Scores, table: Table, rows: np.ndarray, targets: np.ndarray) -> Scores:
    """Scores of labels moved so that the best line on validation rows lies at one half, as the network's are."""
    if len(rows) == 0:
        return scores
    lines = best_lines(scores(table, rows), targets)
    return lambda table, rows: with_line_at_half(scores(table, rows), lines)


def _turning_away(scores: Scores, output: CategoryOutput, table: Table, rows: np.ndarray,
                  targets: np.ndarray) -> Scores:  # fmt: skip
    """Scores of classes that turn away as many validation rows in scope as the network may."""
    classes = scores(table, rows)[:, :-1]
    line = lowest_share(torch.from_numpy(classes[targets < classes.shape[1]].max(1, initial=0)), output.may_turn_away)

    def with_none(table: Table, rows: np.ndarray) -> np.ndarray:
        classes = scores(table, rows)[:, :-1]
        return np.concatenate([classes, np.full((len(classes), 1), line)], axis=1)

    return with_none


def _note(used: int, rows: int, output: OutputPlan, facts: Facts) -> str:
    """How the comparison was made fair, or is not quite."""
    parts = [] if used == rows else [f"learned from a sample of {used:,} of {rows:,} rows, to keep within the time"]
    if isinstance(output, NumberOutput) and facts["transform"] == "log":
        parts.append("learned on logarithms, as the network")
    return "; ".join(parts)
