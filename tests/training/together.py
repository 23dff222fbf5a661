"""What two processes come to that torch's launcher started, beside what one process comes to alone.

    python -m torch.distributed.run --nproc-per-node 2 tests/training/together.py FOLDER

The first process writes `found.json`, which `test_ranks.py` reads: by case, the largest difference of any weight.
"""

import contextlib
import json
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mixed_rows import mixed, scenery, wishes
from players import Chasing, Fitting, rows
from torch import nn

from lamina.data import Batch, RowStream
from lamina.ground import Interrupted
from lamina.losses import Loss
from lamina.metrics import Metric
from lamina.network import TrainingPlan
from lamina.objectives import Objective
from lamina.run import fit_plan, help_fit
from lamina.training import (
    Average,
    Best,
    Budget,
    Follower,
    History,
    Leader,
    Learners,
    Loop,
    Ranks,
    divided,
    joined,
    load_checkpoint,
    make_update,
)


class Weighted(Fitting):
    """Rows count differently, and one layer is used by a single row: in most steps by one process, or by none."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(1, 1)
        self.players = {"network": nn.ModuleList([self.network, self.spare])}

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        values = self.network(batch.inputs["x"])
        if 7 in batch.rows:
            values = torch.where(batch.rows[:, None] == 7, self.spare(values), values)
        off = values[:, 0] - batch.targets["y"]
        weight = batch.rows / 10.0
        yield "network", Loss((off**2 * weight).sum(), weight.sum())


class Deep(Fitting):
    """Matrices of hidden layers, which muon turns as wholes."""

    def __init__(self) -> None:
        super().__init__()
        hidden = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh())
        self.network = nn.Sequential(OrderedDict(hidden=hidden, head=nn.Linear(16, 1)))
        self.players = {"network": self.network}


class Hungry(Fitting):
    """Once, in its fifth step, the memory ends; in the second process only."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.left = 5 if rank == 1 else 0

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        self.left -= 1
        if self.left == 0:
            raise torch.OutOfMemoryError("out of memory")
        yield from super().turns(batch)


def train(ranks: Ranks | None, objective: Objective, plan: TrainingPlan, *, shares: bool = False, count: int = 60,
          folder: Path | None = None, stop_after: int = -1) -> Loop:  # fmt: skip
    """A training of 12 steps, alone or led by the first of several processes; the others' loop has done nothing."""
    rank, size = (0, 1) if ranks is None else (ranks.rank, ranks.size)
    name, module = next(iter(objective.players.items()))
    average = Average(module, plan.average)
    if shares:
        learner, average = divided(module, plan.average, torch.device("cpu"), size)
        objective.network, objective.players = learner, {name: learner}  # type: ignore[attr-defined]
    inputs, answers = rows(count)

    def collate(some: np.ndarray) -> Batch:
        return Batch({"x": inputs[some]}, {"y": answers[some]}, torch.from_numpy(some))

    def judge() -> dict[str, float]:
        if isinstance(objective, (Chasing, Weighted)):
            return {"mse": 1.0}
        with torch.no_grad():
            return {"mse": float(((average.module.eval()(inputs)[:, 0] - answers) ** 2).mean())}

    stream = RowStream(np.arange(count), 16, 0, collate, rank, size)
    updates = {each: make_update(player, plan, 0.02) for each, player in objective.players.items()}
    made = Loop(
        objective, stream, updates, plan,
        Budget(12, judge_every=3, steps_per_epoch=stream.batches_per_epoch), average,
        Best(Metric("mse", lambda scores, truth: 0.0, larger_is_better=False)), judge, History(None),
        checkpoint=folder,
    )  # fmt: skip
    made.interrupted = lambda: 15 if made.step == stop_after else None
    if ranks is not None and rank > 0:
        learners = Learners(objective, stream, updates, average if shares else None)
        Follower(ranks, learners, plan.seed, shares, judge=judge).follow()
        return made
    leader = None if ranks is None else Leader(ranks, shares)
    made.crew = leader or made.crew
    if folder is not None and folder.exists():
        made.restore(load_checkpoint(folder))
    with contextlib.suppress(Interrupted):
        made.run()
    if leader is not None:
        leader.end()
    return made


def learned(made: Loop) -> torch.Tensor:
    """All weights of the players and of the best average, in one vector."""
    found = [*made.guard.anchor["players"].values(), made.best.weights]
    return torch.cat([value.flatten().double() for weights in found for value in weights.values()])


def difference(one: Loop, other: Loop) -> float:
    return float((learned(one) - learned(other)).abs().max())


CASES: dict[str, Callable[[Ranks | None, Path], Loop]] = {
    "copies": lambda ranks, folder: train(ranks, Fitting(), TrainingPlan()),
    "in parts": lambda ranks, folder: train(ranks, Fitting(), TrainingPlan(accumulate=3)),
    "two players": lambda ranks, folder: train(ranks, Chasing(), TrainingPlan(average=0)),
    "weighted": lambda ranks, folder: train(ranks, Weighted(), TrainingPlan(average=0)),
    "three rows": lambda ranks, folder: train(ranks, Fitting(), TrainingPlan(), count=3),
    "out of memory": lambda ranks, folder: train(ranks, Hungry(ranks.rank if ranks else 0), TrainingPlan()),
    "shares": lambda ranks, folder: train(ranks, Fitting(), TrainingPlan(shard=True), shares=ranks is not None),
    "shares of momentum": lambda ranks, folder: train(
        ranks, Fitting(), TrainingPlan(optimizer="nesterov", average=0), shares=ranks is not None
    ),
    "shares of muon": lambda ranks, folder: train(
        ranks, Deep(), TrainingPlan(optimizer="muon"), shares=ranks is not None
    ),
}


def resumed(ranks: Ranks, folder: Path, ways: tuple[str, ...]) -> Loop:
    """One training in several stretches, each stopped after three more steps and taken up another way."""
    made = None
    for number, way in enumerate(ways):
        stop_after = 3 * (number + 1) + 1 if number + 1 < len(ways) else -1
        if way == "alone" and ranks.rank > 0:
            continue
        crew = None if way == "alone" else ranks
        made = train(crew, Fitting(), TrainingPlan(), shares=way == "shares", folder=folder, stop_after=stop_after)
    assert made is not None
    return made


def planned(pictures: bool, shares: bool, ranks: Ranks | None) -> dict[str, torch.Tensor]:
    """The weights of a plan that `fit_plan` trained, with pictures that are varied and without layers that couple rows."""
    data = mixed(100, pictures=pictures)
    chosen = {"photo": data["photo"], "sort": data["sort"], "part": data["part"]} if pictures else data
    hidden: dict[str, Any] = {"name": "mlp", "width": 16} if pictures else {"dropout": 0.0}
    predict = ("sort",) if pictures else ("price", "sort")
    scene = scenery(chosen, predict, hidden=hidden, training={"optimizer": "muon", "shard": shares})
    return fit_plan(scene.prepared, wishes(ranks=ranks)).trained.network.state_dict()


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    os.environ["LAMINA_CACHE"] = str(folder / "cache")
    found: dict[str, Any] = {}
    with joined() as ranks:
        assert ranks is not None
        for name, case in CASES.items():
            made = case(ranks, folder)
            if ranks.rank == 0:
                found[name] = difference(made, case(None, folder))
                found[f"{name}: told"] = made.troubles
        alone = train(None, Fitting(), TrainingPlan())
        for ways in (("copies", "alone", "copies"), ("shares", "alone", "shares"), ("copies", "shares", "alone")):
            made = resumed(ranks, folder / "-".join(ways), ways)
            if ranks.rank == 0:
                found[" ".join(ways)] = difference(made, alone)
        for pictures in (False, True):
            for shares in (False, True):
                if ranks.rank > 0:
                    help_fit(ranks, ranks.hear(), None)
                    continue
                made, wanted = planned(pictures, shares, ranks), planned(pictures, shares, None)
                name = f"{'pictures' if pictures else 'table'} in {'shares' if shares else 'copies'}"
                found[name] = max(
                    float((made[each].double() - wanted[each].double()).abs().nan_to_num().max())
                    for each in wanted
                    if wanted[each].numel()
                )
        if ranks.rank == 0:
            (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
