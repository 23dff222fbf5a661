"""What simpler ways give: the same answer for every row, and classical models, learned from the same training rows."""

import time
from collections.abc import Mapping, Sequence
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
)
from lamina.run.classical import Recipe, boosted_trees, linear_model, linear_on_pictures, linear_on_texts
from lamina.run.features import Pictures
from lamina.run.lesson import Lesson, Scores, usable
from lamina.run.ngrams import UsualTokens, fit_ngrams
from lamina.run.replies import NearestQuestion, Usual, fit_replies

MOST_CLASSES = 100
"""Classes up to which boosted trees are tried: they grow a tree for each, every round."""
MOST_LABELS = 50
"""The same for labels, each of which is a model of its own."""


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
    nothing is learned from it. Where it is empty a part of the training rows serves, kept from a model of its own.

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
    match output:
        case NextOutput():
            others = _ngrams(table, output, facts, train, valid)
        case TextOutput():
            others = _texts(table, columns, output, train)
        case ReplyOutput():
            others = _likest_question(table, output, facts, train, valid)
        case _:
            others = _classical(table, columns, output, facts, train, valid, seconds, seed, pictures, sizes)
    return Baselines([naive_baseline(output, facts), *others.found], others.notes)


def _ngrams(table: Table, output: NextOutput, facts: Facts, train: np.ndarray, valid: np.ndarray) -> Baselines:
    """What follows the last few characters most often."""
    started = time.perf_counter()
    grams = fit_ngrams(table, output, facts, train, valid)
    name, spent = f"{grams.model.order + 1}-grams of characters", time.perf_counter() - started
    return Baselines(
        [Baseline(name, grams, False, grams.rows, spent, _note(grams.rows, len(train), output, facts))], []
    )


def _texts(table: Table, columns: Sequence[Column], output: TextOutput, train: np.ndarray) -> Baselines:
    """Answers in words without a network."""
    replies = fit_replies(table, columns, output, train)
    found = [Baseline(name, scores, False, rows, seconds) for name, scores, rows, seconds in replies]
    return Baselines(found, [f"BLEU as sacrebleu counts it: {bleu_signature()}"])


def _likest_question(table: Table, output: ReplyOutput, facts: Facts, train: np.ndarray,
                     valid: np.ndarray) -> Baselines:  # fmt: skip
    """Answers that are looked up without a network."""
    started = time.perf_counter()
    nearest = NearestQuestion(table, output, facts, train, valid)
    spent = time.perf_counter() - started
    return Baselines([Baseline("answer to the likest question", nearest, False, len(train), spent)], [])


def _classical(table: Table, columns: Sequence[Column], output: OutputPlan, facts: Facts, train: np.ndarray,
               valid: np.ndarray, seconds: float, seed: int, pictures: Pictures | None,
               sizes: Mapping[str, int] | None) -> Baselines:  # fmt: skip
    """Classical models; the arguments are those of `fit_baselines`."""
    notes: list[str] = []
    inputs = _inputs(columns, output, pictures, notes)
    recipes = _recipes(inputs, output, facts, notes)
    rows, targets = usable(table, output, facts, train)
    order = permutation(len(rows), seed, "baselines")
    lesson = Lesson(table, inputs, output, facts, rows[order], targets[order], valid, pictures)
    found, left = [], seconds
    for place, recipe in enumerate(recipes):
        if sizes is not None and recipe.name not in sizes:
            continue
        started = time.perf_counter()
        share = left / (len(recipes) - place)
        model, used = lesson.fit(recipe, share, None if sizes is None else sizes[recipe.name])
        scores = lesson.with_lines(recipe, model, used)
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


def _inputs(columns: Sequence[Column], output: OutputPlan, pictures: Pictures | None,
            notes: list[str]) -> list[Column]:  # fmt: skip
    """The columns that classical models can look at."""
    inputs = [column for column in columns if column.role == "input" and column.name != output.column]
    blind = [column.name for column in inputs if column.kind == "image" and pictures is None]
    if blind:
        notes.append(f"Classical models were not shown the pictures of {blind[0]!r}.")
    return [column for column in inputs if column.name not in blind]


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


def _note(used: int, rows: int, output: OutputPlan, facts: Facts) -> str:
    """How the comparison was made fair, or is not quite."""
    sample = f"learned from a sample of {used:,} of {rows:,} rows, to keep within time and memory"
    parts = [] if used == rows else [sample]
    if isinstance(output, NumberOutput) and facts["transform"] == "log":
        parts.append("learned on logarithms, as the network")
    return "; ".join(parts)
