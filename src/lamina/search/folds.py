"""The verdict on a small table: five trainings, each judged on a fifth of the rows that it has not seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lamina.data import Facts, folds, in_rows
from lamina.network import Plan
from lamina.outputs import Answers
from lamina.run import (
    Fitted,
    Judged,
    Study,
    Wishes,
    compare,
    evaluate_answers,
    fit_ensemble,
    fit_rivals,
    gather,
    known_answers,
    notes_of,
    prepare,
    together,
)

FOLDS = 5
"""Trainings by which a small table is judged."""


@dataclass(frozen=True)
class _Fold:
    """What one fold found on its test rows, by output name; scores in the order of the kept network's classes."""

    rows: np.ndarray
    truths: dict[str, np.ndarray]
    answers: dict[str, Answers]
    rivals: dict[str, dict[str, np.ndarray]]
    naive: frozenset[str]
    notes: list[str]


def judge_by_folds(seen: Study, fitted: Fitted, wishes: Wishes, baseline_seconds: float,
                   told: Callable[[str, int, int], None]) -> dict[str, Any]:  # fmt: skip
    """The evaluation of a way of training, on every row once.

    Everything is done anew in each fold: parts are fitted, the network is trained, simpler ways learn the same rows.

    Args:
        seen: the data; its own split is not used.
        fitted: the network that is kept; it learned from all rows, so it is not judged itself.
        wishes: for each fold's training; precision, layout and rate are taken from the kept network's.
        baseline_seconds: for the simpler ways, in all.
        told: progress: what, folds done, folds in all.
    """
    plan = fitted.trained.plan
    decisions = {name: value for name, value in fitted.decisions.items() if name not in ("steps", "corrections")}
    splits = folds(seen.table, seen.columns, seen.targets, seen.settings, plan.training.seed, FOLDS)
    found = []
    for number, split in enumerate(splits):
        told("fold", number, FOLDS)
        prepared = prepare(plan, seen.table, seen.columns, split, lambda what, done, total: None)
        own = fit_ensemble(prepared, replace(wishes, decisions=dict(decisions)))
        rows, truths = known_answers(fitted.trained, seen.table, split.test)  # also of classes new to this fold
        answers = gather(own.trained, seen.table, rows)
        baselines = fit_rivals(prepared, baseline_seconds / FOLDS)
        found.append(_Fold(
            rows,
            truths,
            {
                name: replace(each, scores=_in_order(each.scores, own.trained.facts, fitted.trained.facts, name))
                for name, each in answers.items()
            },
            {
                name: {
                    rival.name: _in_order(rival.scores(seen.table, rows), own.trained.facts, fitted.trained.facts, name)
                    for rival in baselines[name].found
                }
                for name in plan.outputs
            },
            frozenset(rival.name for each in baselines.values() for rival in each.found if rival.naive),
            [note for each in baselines.values() for note in notes_of(each)],
        ))  # fmt: skip
    told("fold", FOLDS, FOLDS)
    return _evaluation(seen, fitted, plan, found)


def _evaluation(seen: Study, fitted: Fitted, plan: Plan, found: list[_Fold]) -> dict[str, Any]:
    names = list(plan.outputs)
    rows = np.concatenate([fold.rows for fold in found])
    shared = {name: set.intersection(*(set(fold.rivals[name]) for fold in found)) for name in names}
    judged = Judged(
        truths={name: np.concatenate([fold.truths[name] for fold in found]) for name in names},
        answers={name: together([fold.answers[name] for fold in found]) for name in names},
        rivals={
            name: {
                rival: np.concatenate([fold.rivals[name][rival] for fold in found])
                for rival in found[0].rivals[name]
                if rival in shared[name]
            }
            for name in names
        },
        naive=found[0].naive,
        on=f"{len(rows):,} rows, each judged by a network that had not seen it (five folds)",
    )
    evaluation = compare(fitted.trained.network, plan, judged, plan.training.seed)
    evaluation["notes"] = list(dict.fromkeys(note for fold in found for note in fold.notes))
    return evaluation | evaluate_answers(fitted.trained, seen.table, rows, judged, seen.where)


def _in_order(scores: np.ndarray, theirs: Mapping[str, Facts], ours: Mapping[str, Facts], name: str) -> np.ndarray:
    """Probabilities in the order of the kept network's classes: a fold may have missed a rare one."""
    have, want = (_names(facts[f"outputs.{name}"]) for facts in (theirs, ours))
    if not isinstance(have, list) or not isinstance(want, list) or have == want:
        return scores
    if scores.dtype == object:  # tags by their numbers; a fold knows none that the whole does not
        numbers = np.array([want.index(tag) for tag in have])
        return in_rows(numbers[row] for row in scores)
    places = {label: place for place, label in enumerate(have)}
    columns = [scores[:, places[label]] if label in places else np.zeros(len(scores)) for label in want]
    return np.stack(columns, axis=1)


def _names(facts: Facts) -> object:
    """What an output's scores stand for, in their order."""
    return next((facts[key] for key in ("classes", "labels", "tags") if key in facts), None)
