"""Whether pictures may be mirrored, found out by asking a network that never saw a mirrored one.

A digit or a traffic sign means something else in a mirror, a cat does not. A pilot is trained for a short time on a
part of the training rows, without mirroring; then it answers the other part upright and mirrored. Where it does nearly
as well on mirrored pictures, mirroring keeps the meaning. The threshold was measured (docs/lab-notes.md).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from lamina.data import Batch, Split
from lamina.ground import numpy_generator
from lamina.network import Collate, Ensemble, Network
from lamina.run import Prepared, Wishes, fit_plan, raw_scores, truths

KEEPS = 0.8
"""The least share of the upright skill that must remain in the mirror."""
SWAPS = 0.5
"""Two classes swap when more than this share of each is taken for the other in the mirror: left and right."""
PILOT_SHARE = 0.06
"""The pilot's share of the whole time."""
LEAST_SKILL = 0.1
"""Below this the pilot has learned too little to be asked."""


@dataclass
class _Mirrored:
    """Batches with their pictures mirrored."""

    collate: Collate
    names: tuple[str, ...]

    def __call__(self, rows: np.ndarray) -> Batch:
        batch = self.collate(rows)
        flipped = {
            name: _flip(batch.inputs[name]) if name in self.names else batch.inputs[name] for name in batch.inputs
        }
        return batch.with_inputs(flipped)


def _flip(pictures: object) -> Tensor:
    assert isinstance(pictures, Tensor)
    return pictures.flip(-1)  # (batch, channels, height, width)


@dataclass(frozen=True)
class Mirroring:
    """What a pilot found out."""

    allowed: bool
    reason: str
    decisions: dict[str, Any]
    """Precision, layout and rate, which the pilot had to find as well."""


def may_mirror(prepared: Prepared, seconds: float | None, wishes: Wishes) -> Mirroring | None:
    """Whether mirroring keeps the answers, and why; None when there is nothing to decide.

    Args:
        prepared: with pictures that are not mirrored in training.
        seconds: for the whole training; the pilot takes its share. None takes half a minute.
        wishes: for the way of computing and for stopping.
    """
    names = tuple(
        name
        for name, part in prepared.plan.inputs.items()
        if part.kind == "image" and part.mirror is None  # type: ignore[attr-defined]
    )
    if not names or len(prepared.plan.outputs) != 1 or len(prepared.split.train) < 50:
        return None
    pilot = _pilot(prepared)
    limit = 30.0 if seconds is None else PILOT_SHARE * seconds
    fitted = fit_plan(pilot, replace(wishes, seconds=limit, checkpoint=None, history=None, watchers=()))
    upright, mirrored, truth = _answers(pilot, fitted.trained.network, names)
    kept = _kept(upright, mirrored, truth)
    found = {name: value for name, value in fitted.decisions.items() if name not in ("steps", "corrections")}
    if kept is None:
        return Mirroring(
            False, "a short pilot learned too little to tell whether mirrored pictures mean the same", found
        )
    what = f"a pilot that never saw a mirrored picture kept {kept:.0%} of its skill on mirrored ones"
    if kept < KEEPS:
        return Mirroring(False, f"{what}: they mean something else", found)
    classes = getattr(fitted.trained.network.outputs[next(iter(pilot.plan.outputs))], "classes", None)
    if classes is not None and (pair := _swapped(upright, mirrored, truth)) is not None:
        swap = f"in a mirror {classes[pair[0]]!r} looks like {classes[pair[1]]!r}, and the other way round"
        return Mirroring(False, swap, found)
    return Mirroring(True, f"{what}: they mean the same", found)


def _pilot(prepared: Prepared) -> Prepared:
    """The same parts, learning from four fifths of the training rows and asked about the rest, up to 2,000 rows."""
    rows = prepared.split.train
    order = numpy_generator(prepared.plan.training.seed, "mirror").permutation(len(rows))
    asked = min(len(rows) // 5, 2000)
    split = Split(np.sort(rows[order[asked:]]), np.sort(rows[order[:asked]]), rows[:0], "random", "for a pilot")
    return replace(prepared, split=split)


def _answers(
    pilot: Prepared, network: Network | Ensemble, names: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores of the rows asked about, upright and mirrored, and the truth."""
    ((name, output),) = network.outputs.items()
    rows = pilot.split.valid
    collate = pilot.collate(next(network.parameters()).device)
    assert isinstance(network, Network)
    network.looks_twice = False  # mirrored looks would answer the question by half
    upright, mirrored = (
        output.decode(raw_scores(network, source, rows)[name], {}).scores
        for source in (collate, _Mirrored(collate, names))
    )
    return upright, mirrored, truths(pilot.blocks, pilot.plan, rows)[name]


def _kept(upright: np.ndarray, mirrored: np.ndarray, truth: np.ndarray) -> float | None:
    """The share of skill that remains in the mirror; None when there is hardly any upright."""
    if upright.shape == truth.shape:  # numbers, or a chance for each label
        spread = max(float(np.mean((truth - truth.mean(0)) ** 2)), 1e-12)
        before, after = (1 - float(np.mean((scores - truth) ** 2)) / spread for scores in (upright, mirrored))
        return None if before < LEAST_SKILL else max(after, 0.0) / before
    right = upright.argmax(1) == truth
    naive = np.bincount(truth).max() / len(truth)
    if (right.mean() - naive) / max(1 - naive, 1e-12) < LEAST_SKILL:
        return None
    return float((mirrored.argmax(1) == truth)[right].mean())


def _swapped(upright: np.ndarray, mirrored: np.ndarray, truth: np.ndarray) -> tuple[int, int] | None:
    """Two classes that are taken for each other in the mirror, judged on pictures that were right upright."""
    right = upright.argmax(1) == truth
    said, true = mirrored.argmax(1)[right], truth[right]
    classes = upright.shape[1]
    counts = np.bincount(true * classes + said, minlength=classes**2).reshape(classes, classes)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    both = np.minimum(shares, shares.T)
    np.fill_diagonal(both, 0)
    one, other = np.unravel_index(both.argmax(), both.shape)
    return (int(one), int(other)) if both[one, other] > SWAPS else None
