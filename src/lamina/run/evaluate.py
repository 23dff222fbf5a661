"""What a network is worth: figures with intervals, beside simpler ways, and where it is wrong."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamina.data import Table
from lamina.ground import DataError
from lamina.metrics import difference, interval
from lamina.network import Ensemble, Network, Plan
from lamina.outputs import Answers, OutputLayer
from lamina.run.baselines import Baselines
from lamina.run.fitted import Fitted
from lamina.run.mistakes import details, worst
from lamina.run.prepared import Prepared
from lamina.run.trained import Trained, raw_scores, truths
from lamina.run.verdict import Rival, verdict
from lamina.run.writing import samples

Figures = dict[str, dict[str, float]]
"""Metric -> value, low, high."""
_PLAIN = ("rows", "decides", "metrics", "baselines", "verdict", "notes")


def gather(trained: Trained, table: Table, rows: np.ndarray) -> dict[str, Answers]:
    """Answers of all rows by output name, in the order of `rows`."""
    if trained.network.judged_by_targets and not trained.writes:
        return trained.judged(table, rows)
    pieces: dict[str, list[Answers]] = {}
    for _, answers in trained.answer(table, rows):
        for name, some in answers.items():
            pieces.setdefault(name, []).append(some)
    return {name: together(parts) for name, parts in pieces.items()}


def together(parts: Sequence[Answers]) -> Answers:
    """Answers of several pieces of a table, end to end."""
    names = parts[0].columns
    return Answers(
        np.concatenate([part.scores for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in names},
        parts[0].types,
    )


def figures(output: OutputLayer, scores: np.ndarray, truth: np.ndarray, seed: int) -> Figures:
    """Every metric of an output with its bootstrap interval, as far as it can be measured on these rows."""
    found: Figures = {}
    for key, metric in output.metrics().items():
        value, low, high = interval(metric, scores, truth, seed)
        if np.isfinite(value):
            found[key] = {"value": value, "low": _finite(low, value), "high": _finite(high, value)}
    return found


def _finite(bound: float, value: float) -> float:
    return float(bound) if np.isfinite(bound) else float(value)


def known_answers(trained: Trained, table: Table, rows: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The rows whose answers are known and usable, and those answers by output name.

    Raises:
        DataError: if no row has a usable answer.
    """
    truths: dict[str, np.ndarray] = {}
    bad: dict[int, str] = {}
    for name, part in trained.plan.outputs.items():
        blocks = [part.prepare(chunk, trained.facts[f"outputs.{name}"]) for chunk in table.chunks(rows, part.columns)]
        truths[name] = np.concatenate([block.by_row() for block in blocks]) if blocks else np.zeros(0)
        start = 0
        for block in blocks:
            bad.update({start + entry: why for entry, why in block.problems.items()})
            start += len(block)
    kept = np.setdiff1d(np.arange(len(rows)), np.fromiter(bad, dtype=np.int64, count=len(bad)))
    if not len(kept):
        entry, why = next(iter(bad.items()), (0, "there are no rows"))
        raise DataError(
            f"No row can be judged. The first, {table.where(int(rows[entry])) if len(rows) else ''}: {why}."
        )
    return rows[kept], {name: truth[kept] for name, truth in truths.items()}


def timing(trained: Trained, table: Table, rows: np.ndarray) -> dict[str, float]:
    """How fast the network answers: rows a second in bulk, and milliseconds for one row; takes about a second."""
    times = [_seconds(trained, table, rows[at : at + 1]) for at in range(min(len(rows), 5))]
    one = float(np.median(times))
    some = rows[:64]
    many = rows[: int(len(some) / max(_seconds(trained, table, some), 1e-6))]
    bulk = len(many) / _seconds(trained, table, many) if len(many) else 1 / one
    return {"rows_per_second": round(bulk, 1), "one_row_ms": round(1000 * one, 3)}


def _seconds(trained: Trained, table: Table, rows: np.ndarray) -> float:
    start = time.perf_counter()
    for _ in trained.answer(table, rows):
        pass
    return time.perf_counter() - start


def plain_evaluation(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """What `evaluate --json` prints of an evaluation: rows, what decides, metrics, baselines, verdict, notes."""
    return {name: evaluation[name] for name in _PLAIN if name in evaluation}


def on_others(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """The same of an evaluation on data that was given once training was over, with a note on what that was."""
    return plain_evaluation({**evaluation, "notes": [*evaluation["notes"], f"Judged on {evaluation['on']}."]})


@dataclass(frozen=True)
class Judged:
    """Answers of the network and scores of simpler ways on the same rows, by output name."""

    truths: dict[str, np.ndarray]
    answers: dict[str, Answers]
    rivals: dict[str, dict[str, np.ndarray]]
    """Output -> name of the simpler way -> scores."""
    naive: frozenset[str]
    """Names of simpler ways that look at no input."""
    on: str
    """Which rows, in words."""


def compare(network: Network | Ensemble, plan: Plan, judged: Judged, seed: int) -> dict[str, Any]:
    """Figures with intervals, the same for simpler ways, and the verdict in words."""
    metrics: dict[str, Figures] = {}
    baselines: dict[str, dict[str, Figures]] = {}
    verdicts, deciding = [], {}
    for name, part in plan.outputs.items():
        output, truth, scores = network.outputs[name], judged.truths[name], judged.answers[name].scores
        metrics[part.column] = figures(output, scores, truth, seed)
        metric = output.metrics()[output.decides]
        deciding[part.column] = metric.key
        rivals = []
        for rival, theirs in judged.rivals[name].items():
            baselines.setdefault(rival, {})[part.column] = figures(output, theirs, truth, seed)
            ahead, low, high = difference(metric, scores, theirs, truth, seed)
            naive = rival in judged.naive
            rivals.append(Rival(rival, metric.measure(theirs, truth), ahead, low, high, naive))
        sentence = verdict(metric, rivals, len(truth))
        verdicts.append(sentence if len(plan.outputs) == 1 else f"{part.column}: {sentence}")
    column = next(iter(deciding))
    return {
        "rows": len(next(iter(judged.truths.values()))),
        "on": judged.on,
        "decides": f"{column}.{deciding[column]}" if len(deciding) == 1 else "skill",
        "deciding": deciding,
        "metrics": metrics,
        "baselines": baselines,
        "verdict": " ".join(verdicts),
    }


def evaluate_fitted(prepared: Prepared, fitted: Fitted, baselines: Mapping[str, Baselines],
                    where: Callable[[int], str]) -> dict[str, Any]:  # fmt: skip
    """The evaluation of a trained network on the test rows of its split, which nothing has seen before.

    Without test rows the validation rows serve, and this is said: they chose the best weights, so it flatters.
    """
    trained, plan, table = fitted.trained, prepared.plan, prepared.table
    rows = prepared.split.test
    on = f"{len(rows):,} rows never seen"
    if not len(rows):
        rows = prepared.split.valid
        on = f"{len(rows):,} validation rows, which chose the best weights: this flatters"
    if not len(rows):  # an ensemble whose networks took turns in holding rows out
        rows = prepared.split.train
        on = f"{len(rows):,} rows that were learned from: this flatters much, hold some out (split.test)"
    if trained.writes:
        answers = gather(trained, table, rows)
    else:
        raw = raw_scores(trained.network, prepared.collate(trained.device), rows)
        answers = trained.decode(raw, table.frame[rows])
    known = truths(prepared.blocks, plan, rows)
    rivals = {name: {rival.name: rival.scores(table, rows) for rival in baselines[name].found} for name in plan.outputs}
    naive = frozenset(rival.name for each in baselines.values() for rival in each.found if rival.naive)
    judged = Judged(known, answers, rivals, naive, on)
    evaluation = compare(trained.network, plan, judged, plan.training.seed)
    evaluation["notes"] = [note for each in baselines.values() for note in notes_of(each)]
    evaluation["learned_from"] = {
        plan.outputs[name].column: {rival.name: rival.rows for rival in each.found if not rival.naive}
        for name, each in baselines.items()
    }
    return evaluation | evaluate_answers(trained, table, rows, judged, where)


def evaluate_table(trained: Trained, table: Table, baselines: Mapping[str, Baselines]) -> dict[str, Any]:
    """The evaluation of a kept network on another table whose answers are known, beside simpler ways.

    Args:
        table: with the columns that the network reads and predicts, in their kinds.
        baselines: simpler ways by output name; models that were left out stand in their notes.

    Returns:
        What `plain_evaluation` tells.

    Raises:
        DataError: if no row has a usable answer.
    """
    plan = trained.plan
    rows, known = known_answers(trained, table, np.arange(len(table)))
    answers = gather(trained, table, rows)
    rivals = {name: {rival.name: rival.scores(table, rows) for rival in baselines[name].found} for name in plan.outputs}
    naive = frozenset(rival.name for each in baselines.values() for rival in each.found if rival.naive)
    judged = Judged(known, answers, rivals, naive, f"{len(rows):,} rows of {table.name}")
    evaluation = compare(trained.network, plan, judged, plan.training.seed)
    evaluation["notes"] = list(dict.fromkeys(note for each in baselines.values() for note in notes_of(each)))
    return plain_evaluation(evaluation)


def evaluate_answers(trained: Trained, table: Table, rows: np.ndarray, judged: Judged,
                     where: Callable[[int], str]) -> dict[str, Any]:  # fmt: skip
    """What lies behind the figures: details by output, the worst rows, and how fast the network answers."""
    found: dict[str, Any] = {}
    for name, part in trained.plan.outputs.items():
        output, truth, answers = trained.network.outputs[name], judged.truths[name], judged.answers[name]
        for what, detail in details(trained.plan, name, output, answers, truth).items():
            found.setdefault(what, {})[part.column] = detail
        found.setdefault("worst", {})[part.column] = worst(trained, name, table, rows, answers, truth, where)
    if trained.network.reads_on:
        found["written"] = {part.column: samples(trained, table, rows) for part in trained.plan.outputs.values()}
    return found | {"timing": timing(trained, table, rows)}


def notes_of(baselines: Baselines) -> list[str]:
    """What a person should know of the simpler ways."""
    return [*baselines.notes, *(f"{each.name}: {each.note}" for each in baselines.found if each.note)]
