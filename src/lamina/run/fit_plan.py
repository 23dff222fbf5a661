"""One plan, one split, one trained network: parts fitted, cells prepared, steps taken, confidences made honest."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from lamina.data import RowStream
from lamina.ground import pick_device, prepare_process
from lamina.metrics import Metric
from lamina.network import Collate, Layer, Network, Plan, build_network, to_values
from lamina.outputs import OutputLayer
from lamina.run.decisions import decide, most_steps
from lamina.run.joint import Job, divides
from lamina.run.judging import Judge
from lamina.run.photo_judge import PhotoJudge
from lamina.run.picture_judge import PictureJudge
from lamina.run.prepared import Prepared
from lamina.run.teaching import layers_beside, objective_of
from lamina.run.trained import Trained, raw_scores
from lamina.run.wishes import Wishes
from lamina.training import (
    Average,
    Best,
    Budget,
    Guard,
    History,
    Leader,
    Loop,
    Update,
    Way,
    divided,
    has_checkpoint,
    load_checkpoint,
    make_update,
)


@dataclass
class Fitted:
    """A trained network and how it came to be."""

    trained: Trained
    layers: list[Layer]
    notes: list[str]
    """What became of weights that were loaded."""
    ended: str
    """Why training ended, in words."""
    steps: int
    epochs: float
    seconds: float
    best_step: int
    figure: float
    """The figure on validation rows that chose the best weights."""
    chose: Metric
    """Which figure that is."""
    decisions: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, object]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    """What went wrong on the way and what was done about it, in words."""


def fit_plan(prepared: Prepared, wishes: Wishes) -> Fitted:
    """Train the plan's network on the prepared rows.

    Raises:
        Interrupted: when asked to stop; the checkpoint holds all that going on needs.
    """
    prepare_process()
    plan, settings = prepared.plan, prepared.plan.training
    device = pick_device(settings.device)
    built = build_network(plan, prepared.facts, wishes.hidden)
    network = built.network
    layers = [*built.layers, *layers_beside(plan, network)]
    collate = prepared.collate(device)
    ranks, rows = wishes.ranks, prepared.split.train
    stream = RowStream(rows, settings.batch_size, settings.seed, collate, 0, wishes.processes)
    shares, together = False, ""
    if ranks is not None:
        shares, together = divides(network, settings, device, ranks.size, prepared.couples_rows)
    decisions = decide(prepared, wishes, network, stream, device, shares)
    if together or "processes" in decisions:
        decisions["processes"] = together or "one process went on where several had stopped"
        wishes.decided(decisions)
    way = Way(decisions["precision"], decisions["layout"], decisions.get("threads", 0))
    if ranks is not None:
        ranks.tell(Job(plan, prepared.facts, prepared.blocks, prepared.weight, rows, prepared.judged, way,
                       decisions["learning_rate"], shares))  # fmt: skip
    if shares:
        learner, average = divided(network, settings.average, device, wishes.processes)
    else:
        network = learner = way.place(network, device)  # type: ignore[assignment]
        average = Average(network, settings.average)
    loop = _loop(prepared, wishes, learner, average, stream, decisions, way, device)
    leader = None if ranks is None else Leader(ranks, shares)
    loop.crew = leader or loop.crew
    if wishes.checkpoint and has_checkpoint(wishes.checkpoint):
        loop.restore(load_checkpoint(wishes.checkpoint))
    else:
        loop.history.replace(())  # killed before its first checkpoint: those steps are taken again
    started = time.monotonic()
    with way.on_threads():
        ended = loop.run()
    if leader is not None:
        leader.end()
    network.load_state_dict(loop.best.weights)
    if shares:
        network = way.place(network, device)  # type: ignore[assignment]
    network.looks_twice = True
    trained = Trained(plan, prepared.columns, prepared.facts, network.eval())
    _calibrate(trained, prepared, collate)
    return Fitted(
        trained, layers, built.notes, ended, loop.step, loop.step / loop.budget.steps_per_epoch,
        loop.seconds or time.monotonic() - started, loop.best.step, loop.best.figure, loop.best.metric, decisions,
        loop.history.lines, loop.troubles,
    )  # fmt: skip


def _judge_every(plan: Plan, per_epoch: int, steps: int) -> int:
    """Once an epoch, but at most 60 times in all: on small data judging would cost more than learning.

    Pictures that are made are judged 20 times: they have to be made first, and epochs say nothing of how far it is.
    """
    made = plan.training.objective == "adversarial" or any(part.kind == "photo" for part in plan.outputs.values())
    if plan.training.judge_every is None and made:
        return max(steps // 20, 1)
    return plan.training.judge_every or max(per_epoch, steps // 60, 1)


def _loop(prepared: Prepared, wishes: Wishes, network: Network, average: Average, stream: RowStream,
          decisions: dict[str, Any], way: Way, device: torch.device) -> Loop:  # fmt: skip
    plan, settings = prepared.plan, prepared.plan.training
    collate = prepared.collate(device)
    objective = objective_of(plan, prepared.facts, network)
    for player in objective.players.values():
        if player is not network:
            way.place(player, device)
    judge = _judge(prepared, wishes, collate, network)

    def decided(decision: Mapping[str, Any]) -> None:
        # What was decided of later steps was undone by going back to an earlier one.
        kept = [each for each in decisions.get("corrections", []) if each["step"] <= decision["step"]]
        decisions["corrections"] = [*kept, dict(decision)]
        wishes.decided(decisions)

    guard = Guard(decisions["parts"])
    guard.expect(decisions.get("corrections", []))
    updates: dict[str, Update] = {
        name: make_update(player, settings, decisions["learning_rate"]) for name, player in objective.players.items()
    }
    budget = Budget(
        decisions["steps"],
        wishes.seconds,
        most_steps(settings, stream.batches_per_epoch, wishes.seconds),
        _judge_every(plan, stream.batches_per_epoch, decisions["steps"]),
        stream.batches_per_epoch,
    )
    budget.expect(decisions.get("corrections", []))
    loop = Loop(
        objective=objective,
        stream=stream,
        updates=updates,
        plan=settings,
        budget=budget,
        average=average,
        best=Best(judge.chooses, settings.patience),
        goal=judge.decides,
        judge=lambda: judge(average.module, loop.step),  # type: ignore[arg-type]
        history=History(wishes.history),
        checkpoint=wishes.checkpoint,
        watchers=wishes.watchers,
        decided=decided,
        interrupted=wishes.interrupted,
        autocast=way.autocast(device),
        guard=guard,
        couples_rows=prepared.couples_rows,
        trouble=wishes.trouble,
    )
    return loop


def _judge(prepared: Prepared, wishes: Wishes, collate: Collate, network: Network) -> Judge | PictureJudge | PhotoJudge:
    plan = prepared.plan
    if plan.training.objective == "adversarial":
        return PictureJudge(prepared, collate, wishes.film)
    if any(part.kind == "photo" for part in plan.outputs.values()):
        return PhotoJudge(prepared)
    return Judge(plan, prepared.facts, prepared.blocks, prepared.table, collate, prepared.judged, network)


def _calibrate(trained: Trained, prepared: Prepared, collate: Collate) -> None:
    rows = prepared.split.valid
    outputs = trained.network.outputs.values()
    if not len(rows) or prepared.plan.training.objective != "supervised":
        return
    if all(type(output).calibrate is OutputLayer.calibrate for output in outputs):
        return
    raw = raw_scores(trained.network, collate, rows)
    for name, output in trained.network.outputs.items():
        targets = to_values(prepared.blocks[f"outputs.{name}"].take(rows))
        output.cpu().calibrate(raw[name], targets)
        output.to(trained.device)
