"""Several networks, each choosing its weights by another part of the training rows (Breiman 1996, "Bagging").

With few rows a single held-out part is too small to stop by and too valuable to leave unlearned. Here every row is
learned from by all networks but one, and that one is judged on it: together these judgements cover all training rows,
and confidences are made honest on them. Where time is short, fewer networks learn, each for longer.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from lamina.data import Split, folds
from lamina.ground import pick_device
from lamina.network import Ensemble, Plan, build_network, to_values
from lamina.run.decisions import decide_way, most_steps
from lamina.run.fit_plan import fit_plan
from lamina.run.fitted import Fitted
from lamina.run.prepared import Prepared
from lamina.run.trained import Trained, joined_scores, raw_scores
from lamina.run.wishes import Wishes

PARTS = 5
"""Each network holds out a fifth of the rows; more networks than that, a part of their number."""
ENOUGH = 0.5
"""The least part of the planned steps that a network must have time for before others share it (docs/lab-notes.md)."""


def fit_ensemble(prepared: Prepared, wishes: Wishes, beat: float | None = None) -> Fitted:
    """Train `training.ensemble` networks of the plan; a single one is trained as `fit_plan` does.

    Args:
        prepared: whose training rows are divided anew for each network; its validation rows are not used.
        wishes: the time is that of all networks together.
        beat: a figure that the first network must be better than for the others to be trained.

    Returns:
        The networks as one, whose plan says how many there was time for; or the first alone, to be given up.

    Raises:
        Interrupted: when asked to stop; networks that are finished are not trained again.
    """
    rotation = _rotation(prepared, wishes)
    first = rotation.fit(0, rotation.wishes.decisions)
    count = len(rotation.splits)
    if count == 1 or (beat is not None and not first.chose.better(first.figure, beat)):
        return first
    fitted = [first, *(rotation.fit(number, first.decisions) for number in range(1, count))]
    ensemble = Ensemble([each.trained.network for each in fitted])  # type: ignore[misc]
    _calibrate(ensemble, prepared, fitted, rotation.splits)
    return replace(
        first,
        trained=Trained(rotation.plan, prepared.columns, prepared.facts, ensemble.eval()),
        layers=[replace(layer, parameters=layer.parameters * count) for layer in first.layers],
        ended=f"{count} networks, each choosing by another part of the rows; the first ended: {first.ended}",
        seconds=sum(each.seconds for each in fitted),
        steps=sum(each.steps for each in fitted),
        figures=tuple(each.figure for each in fitted),
        troubles=[trouble for each in fitted for trouble in each.troubles],
    )


@dataclass(frozen=True)
class _Rotation:
    """Networks that take turns in holding rows out; one alone keeps the rows that the data holds out."""

    prepared: Prepared
    plan: Plan
    """Says how many there is time for."""
    wishes: Wishes
    splits: Sequence[Split]
    """Of each network."""
    started: float
    """When the time began."""

    def fit(self, number: int, shared: Mapping[str, Any]) -> Fitted:
        """Train a network; `shared` was decided for all of them."""
        split, wishes, count = self.splits[number], self.wishes, len(self.splits)
        if count == 1:
            return fit_plan(replace(self.prepared, split=split, plan=self.plan), wishes)
        own = replace(
            wishes,
            seconds=self._share(number),
            decisions=_decisions(number, shared, wishes.decisions),
            decided=partial(_decided, number, wishes.decided),
            checkpoint=None if wishes.checkpoint is None else wishes.checkpoint / str(number),
            history=wishes.history if number == 0 else None,
        )
        plan = self.plan.with_training(seed=self.plan.training.seed + number)
        return fit_plan(replace(self.prepared, split=split, plan=plan), own)

    def _share(self, number: int) -> float | None:
        """A network's part of the time: less where those before it took longer than theirs, with all around them."""
        if self.wishes.seconds is None:
            return None
        count, left = len(self.splits), self.wishes.seconds - (time.monotonic() - self.started)
        return min(self.wishes.seconds / count, max(left, 0.0) / (count - number))


def _rotation(prepared: Prepared, wishes: Wishes) -> _Rotation:
    started = time.monotonic()
    if prepared.plan.training.ensemble == 1:
        return _Rotation(prepared, prepared.plan, wishes, [prepared.split], started)
    splits = _splits(prepared, max(prepared.plan.training.ensemble, PARTS))
    plan, wishes = _affordable(replace(prepared, split=splits[0]), wishes)
    return _Rotation(prepared, plan, wishes, splits[: plan.training.ensemble], started)


def _affordable(first: Prepared, wishes: Wishes) -> tuple[Plan, Wishes]:
    """The plan with as many networks as there is time for, where nobody said how many; decided once."""
    plan, settings = first.plan, first.plan.training
    if wishes.seconds is None or "training.ensemble" not in plan.reasons:
        return plan, wishes
    if "networks" not in wishes.decisions:
        device = pick_device(settings.device)
        network = build_network(plan, first.facts, wishes.hidden).network
        decisions = decide_way(first, wishes, network.to(device), device)
        planned = most_steps(settings, math.ceil(len(first.split.train) / settings.batch_size), wishes.seconds)
        least = ENOUGH * (planned or 0) * decisions["step_seconds"]
        fit = settings.ensemble if least * settings.ensemble <= wishes.seconds else max(int(wishes.seconds / least), 1)
        wishes = replace(wishes, decisions=decisions | {"networks": fit})
        wishes.decided(wishes.decisions)
    networks = wishes.decisions["networks"]
    if networks < settings.ensemble:
        why = f"the time suffices for {networks} of the {settings.ensemble} networks that would share these rows"
        plan = replace(plan.with_training(ensemble=networks), reasons={**plan.reasons, "training.ensemble": why})
    return plan, wishes


def _name(number: int) -> str:
    return f"corrections.{number}"


def _decisions(number: int, shared: Mapping[str, Any], recorded: Mapping[str, Any]) -> dict[str, Any]:
    """What was decided for all networks, and what this one decided while it was trained."""
    if number == 0:
        return dict(shared)
    return {**shared, "corrections": recorded.get(_name(number), [])}


def _decided(number: int, tell: Callable[[Mapping[str, Any]], None], decisions: Mapping[str, Any]) -> None:
    """Pass on decisions of the first network as they are, of another one what it decided alone."""
    if number == 0:
        tell(decisions)
    elif decisions.get("corrections"):
        tell({_name(number): decisions["corrections"]})


def _splits(prepared: Prepared, count: int) -> list[Split]:
    """The training rows divided so that each of `count` parts is held out once."""
    rows = prepared.split.train
    parts = folds(prepared.table.take(rows), prepared.columns, prepared.plan.predict, prepared.plan.split,
                  prepared.plan.training.seed, count)  # fmt: skip
    return [
        Split(np.sort(rows[np.concatenate([part.train, part.valid])]), rows[part.test], rows[:0], part.how, part.reason)
        for part in parts
    ]


def _calibrate(ensemble: Ensemble, prepared: Prepared, fitted: Sequence[Fitted], splits: Sequence[Split]) -> None:
    """Make confidences honest on every training row, each as scored by the network that did not learn from it."""
    judged = zip(fitted, splits, strict=True)
    raw = joined_scores(
        [raw_scores(one.trained.network, prepared.collate(one.trained.device), split.valid) for one, split in judged]
    )
    rows = np.concatenate([split.valid for split in splits])
    for name, output in ensemble.outputs.items():
        targets = to_values(prepared.blocks[f"outputs.{name}"].take(rows))
        device = next(output.parameters()).device
        output.cpu().calibrate(raw[name], targets)
        output.to(device)
