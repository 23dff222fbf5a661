"""One plan, one split, one trained network: parts fitted, cells prepared, steps taken, confidences made honest."""

import time
from collections.abc import Mapping
from typing import Any

import torch

from lamina.data import RowStream
from lamina.ground import pick_device, prepare_process
from lamina.network import Collate, Network, Plan, build_network, row_lengths, to_values
from lamina.outputs import OutputLayer
from lamina.run.decisions import decide, most_steps
from lamina.run.fitted import Fitted
from lamina.run.joint import Job, divides
from lamina.run.prepared import Prepared
from lamina.run.reading import learn_memory
from lamina.run.tasks import TASKS
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
    lengths, more = row_lengths(network, prepared.blocks), prepared.more
    stream = RowStream(rows, settings.batch_size, settings.seed, collate, 0, wishes.processes, lengths, more)
    shares, together = False, ""
    if ranks is not None:
        shares, together = divides(network, settings, device, ranks.size, prepared.couples_rows)
    decisions = decide(prepared, wishes, network, stream, device, shares)
    if together or "processes" in decisions:
        decisions["processes"] = together or "one process went on where several had stopped"
        wishes.decided(decisions)
    way = Way(
        decisions["precision"], decisions["layout"], decisions.get("threads", 0), decisions.get("filters", "direct")
    )
    if ranks is not None:
        ranks.tell(Job(plan, prepared.facts, prepared.blocks, prepared.weight, rows, more, prepared.judged, way,
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
    with way.at_work(learner, average.module):
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
        loop.seconds or time.monotonic() - started, loop.best.step, (loop.best.figure,), loop.best.metric, decisions,
        loop.history.lines, loop.troubles,
    )  # fmt: skip


def _judge_every(plan: Plan, per_epoch: int, steps: int) -> int:
    """Once an epoch, or as often as the task has it: on small data judging would cost more than learning."""
    most, by_epochs = TASKS[plan.task].judgements
    if plan.training.judge_every is not None:
        return plan.training.judge_every
    if plan.training.ends_at_a_figure:  # which a short round may reach, and no longer holds once the next has begun
        most *= 4
    return max(per_epoch if by_epochs else 1, steps // most, 1)


def _loop(prepared: Prepared, wishes: Wishes, network: Network, average: Average, stream: RowStream,
          decisions: dict[str, Any], way: Way, device: torch.device) -> Loop:  # fmt: skip
    plan, settings = prepared.plan, prepared.plan.training
    collate = prepared.collate(device)
    objective = objective_of(plan, prepared.facts, network)
    for player in objective.players.values():
        if player is not network:
            way.place(player, device)
    judge = TASKS[plan.task].judge(prepared, collate, network, wishes.film)

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


def _calibrate(trained: Trained, prepared: Prepared, collate: Collate) -> None:
    rows = prepared.split.valid
    outputs = trained.network.outputs.values()
    if not len(rows) or prepared.plan.training.objective != "supervised":
        return
    if trained.network.reads_on:
        learn_memory(trained.network, collate, rows)
    if all(type(output).calibrate is OutputLayer.calibrate for output in outputs):
        return
    raw = raw_scores(trained.network, collate, rows)
    for name, output in trained.network.outputs.items():
        targets = to_values(prepared.blocks[f"outputs.{name}"].take(rows))
        output.cpu().calibrate(raw[name], targets)
        output.to(trained.device)
