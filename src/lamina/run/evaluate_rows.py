"""What made rows are worth: whether they can be learned from, told from real ones, and whether real ones are copied."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch

from lamina.data import Table
from lamina.ground import DataError, LazyModule, numpy_generator
from lamina.metrics import classes_apart, frechet, numbers_apart
from lamina.outputs import RowAnswer, RowOutput
from lamina.run.copies import copied
from lamina.run.evaluate import on_others
from lamina.run.fitted import Fitted
from lamina.run.make import make_rows
from lamina.run.prepared import Prepared
from lamina.run.row_judge import ROWS, Ruler, shown_rows
from lamina.run.trained import Trained

ensemble, model_selection, sklearn_metrics = (
    LazyModule(f"sklearn.{name}") for name in ("ensemble", "model_selection", "metrics")
)

MOST = 20_000
"""Rows of a set that are looked at, and learned from."""
REAL, ALONE = "real training rows", "each column by itself"
"""What made rows stand beside: as good as can be, and columns that know nothing of each other."""
_ROUNDS, _FOLDS = 100, 3
"""Rounds of boosting, and parts that take turns in being held back."""
_MOST_CODES = 255
"""Categories that boosted trees take as such; more are taken for numbers."""
_NEAR = 0.1
"""Above this share of rows nearer to a training row than all but a hundredth of real ones, training rows are copied."""
Figures = dict[str, dict[str, float]]


def evaluate_rows(prepared: Prepared, fitted: Fitted) -> dict[str, Any]:
    """The evaluation of a network that makes rows, beside rows that it never saw."""
    trained, split = fitted.trained, prepared.split
    rows, on = split.test, "test rows, never seen"
    if not len(rows):
        rows, on = split.valid, "validation rows, which chose the best weights: this flatters"
    random = numpy_generator(prepared.plan.training.seed, "evaluate rows")
    learned = _given(trained, prepared.table, np.sort(random.permutation(split.train)[:MOST]))
    return _evaluation(trained, learned, _given(trained, prepared.table, rows[:MOST]), on, random, copies=True)


def evaluate_other_rows(trained: Trained, table: Table) -> dict[str, Any]:
    """The evaluation of a trained network beside other rows: those of `table`, whose cells are cast already.

    One half of them stands for what real rows are worth beside the other half.

    Raises:
        DataError: if there are fewer than 20.
    """
    if len(table) < 20:
        raise DataError(f"{table.name} has {len(table)} rows: at least 20 are needed to compare made ones with.")
    random = numpy_generator(trained.plan.training.seed, "evaluate rows")
    order = random.permutation(len(table))[: 2 * MOST]
    halves = [np.sort(order[::2]), np.sort(order[1::2])]
    learned, real = (_given(trained, table, half) for half in halves)
    on = "rows that were given; the other half passes for training rows"
    return on_others(_evaluation(trained, learned, real, on, random, copies=False))


def _given(trained: Trained, table: Table, rows: np.ndarray) -> np.ndarray:
    """(rows, places and classes) of a table, as a critic sees them."""
    ((name, part),) = trained.plan.outputs.items()
    blocks = [part.prepare(chunk, trained.facts[f"outputs.{name}"]) for chunk in table.chunks(rows, part.columns)]
    return shown_rows(_layer(trained), np.concatenate([np.asarray(block.values) for block in blocks]))


def _layer(trained: Trained) -> RowAnswer:
    (layer,) = trained.network.outputs.values()
    return cast(RowAnswer, layer)


def _evaluation(trained: Trained, learned: np.ndarray, real: np.ndarray, on: str, random: np.random.Generator,
                copies: bool) -> dict[str, Any]:  # fmt: skip
    """Made rows beside real ones, all (rows, places and classes); as many as there are to learn from."""
    (part,) = trained.plan.outputs.values()
    assert isinstance(part, RowOutput)
    layer, ruler = _layer(trained), Ruler(real)
    made = make_rows(trained, len(learned), seed=1).scores
    sets = {"": made, REAL: learned, ALONE: _alone(layer, part, learned, random)}
    target = next((name for name in trained.plan.predict if name in part.columns), part.columns[-1])
    judged = _cells(layer, part, real)
    figures = {
        who: _figures(_cells(layer, part, rows), judged, part, target)
        | _one("frechet", frechet(ruler(rows), ruler(real)))
        for who, rows in sets.items()
    }
    ours = figures.pop("")
    share = copied(ruler(made), ruler(real), ruler(learned))[0] if copies else None
    measure = "accuracy" if target in part.categories else "share of the variance that is explained"
    return {
        "rows": len(real),
        "on": f"{len(real):,} {on}",
        "decides": f"{ROWS}.frechet",
        "deciding": {ROWS: "frechet"},
        "metrics": {ROWS: ours},
        "baselines": {who: {ROWS: theirs} for who, theirs in figures.items()},
        "verdict": verdict_on_rows(ours, figures, target, share),
        "notes": [f"Boosted trees learn {target!r} from each set of rows and are judged on real ones ({measure}). "
                  "Others learn to tell each set from real rows; of a pair they know the real one as often as said: "
                  "half is chance. The worst column is the one whose distribution differs most, 0 for the same."],
    }  # fmt: skip


def _one(key: str, value: float) -> Figures:
    return {key: {"value": value, "low": value, "high": value}} if np.isfinite(value) else {}


def _stretches(layer: RowAnswer, part: RowOutput) -> list[slice]:
    """Where each column of numbers, gaps and categories lies among the places and classes of a row."""
    sizes = [1] * len(part.numbers) + layer.sizes
    ends = np.cumsum(sizes)
    return [slice(int(end - size), int(end)) for end, size in zip(ends, sizes, strict=True)]


def _alone(layer: RowAnswer, part: RowOutput, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The same rows with each column in another order."""
    columns = [rows[:, stretch][random.permutation(len(rows))] for stretch in _stretches(layer, part)]
    return np.concatenate(columns, axis=1)


def _cells(layer: RowAnswer, part: RowOutput, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Cells by column, (rows,) float64: numbers as they are read, gaps as no number, classes as their codes."""
    answers = layer.decode(torch.from_numpy(np.ascontiguousarray(rows))[:, None], {}).columns
    cells = {name: np.array([np.nan if cell is None else cell for cell in answers[name]], dtype=np.float64)
             for name in part.numbers}  # fmt: skip
    coded = _stretches(layer, part)[len(rows[0]) and -len(part.categories) :] if part.categories else []
    return cells | {name: rows[:, stretch].argmax(1).astype(np.float64)
                    for name, stretch in zip(part.categories, coded, strict=True)}  # fmt: skip


def _figures(some: Mapping[str, np.ndarray], real: Mapping[str, np.ndarray], part: RowOutput, target: str) -> Figures:
    """Every figure of the cells of a set of rows beside those of real ones."""
    others = [name for name in part.columns if name != target]
    codes = [at for at, name in enumerate(others) if name in part.categories and real[name].max() < _MOST_CODES]
    found: Figures = {}
    if others:
        features = [np.stack([cells[name] for name in others], axis=1) for cells in (some, real)]
        found |= _one(
            "learned_from", _learned_from(features, (some[target], real[target]), target in part.numbers, codes)
        )
    both = [np.stack([cells[name] for name in part.columns], axis=1) for cells in (some, real)]
    found |= _one("told_apart", _told_apart(*both))
    apart = {name: (numbers_apart if name in part.numbers else classes_apart)(some[name], real[name])
             for name in part.columns}  # fmt: skip
    return found | _one("worst_column", max(apart.values()))


def _learned_from(features: Sequence[np.ndarray], targets: Sequence[np.ndarray], number: bool,
                  codes: list[int]) -> float:  # fmt: skip
    """What boosted trees that learned from the first rows reach on the second: accuracy, or the variance explained."""
    known = [np.isfinite(target) for target in targets]
    (some, real), (wanted, truth) = (
        [values[rows] for values, rows in zip(each, known, strict=True)] for each in (features, targets)
    )
    if len(np.unique(wanted)) < 2:
        return float((truth == wanted[0]).mean()) if not number and len(wanted) else float("nan")
    kind = ensemble.HistGradientBoostingRegressor if number else ensemble.HistGradientBoostingClassifier
    model = kind(max_iter=_ROUNDS, categorical_features=codes or None, random_state=0).fit(some, wanted)
    return float(model.score(real, truth))


def _told_apart(some: np.ndarray, real: np.ndarray) -> float:
    """The area under the ROC curve of boosted trees that learned to tell both sets apart, on rows held back."""
    count = min(len(some), len(real))
    features = np.concatenate([some[:count], real[:count]])
    truth = np.repeat([0, 1], count)
    model = ensemble.HistGradientBoostingClassifier(max_iter=_ROUNDS, random_state=0)
    folds = model_selection.StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    chances = model_selection.cross_val_predict(model, features, truth, cv=folds, method="predict_proba")[:, 1]
    return float(sklearn_metrics.roc_auc_score(truth, chances))


def verdict_on_rows(ours: Figures, others: Mapping[str, Figures], target: str, share: float | None) -> str:
    """Whether made rows can be learned from, told from real ones, and whether training rows are copied."""
    value = {who: {key: figure["value"] for key, figure in each.items()} for who, each in {"": ours, **others}.items()}
    said, useless = "", True
    if "learned_from" in ours:
        mine, best, least = (value[who].get("learned_from", float("nan")) for who in ("", REAL, ALONE))
        useless = not mine > least
        said = f"What learned {target} from made rows reaches {mine:.3g} on real ones; from real rows {best:.3g}, from "
        said += f"columns that know nothing of each other {least:.3g}. "
    apart, floor = value[""]["told_apart"], value[REAL]["told_apart"]
    said += (
        f"Of a made and a real row, trees know the real one in {apart:.0%} of pairs (real training rows {floor:.0%})."
    )
    alone = value[ALONE]["told_apart"]
    if useless and apart >= alone:
        said += " Together the columns fit no better than each by itself: nothing was learned that is of use."
    elif apart >= alone:
        said += f" Real cells put together at random are known in {alone:.0%}: single columns are not met well yet."
    if share is not None:
        copies = f" {share:.0%} are nearer to a training row than real ones are: training rows are copied."
        said += copies if share > _NEAR else " No sign that training rows are copied."
    return said
