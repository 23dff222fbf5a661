"""One training in several processes: how each holds the network, and what those that follow the first one do."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import torch
from torch import nn

from lamina.data import Facts, RowStream, StoredBlock
from lamina.ground import device_memory, pick_device
from lamina.hidden import HiddenLayer
from lamina.network import Network, Plan, TrainingPlan, build_network, row_lengths
from lamina.run.prepared import collate_of
from lamina.run.teaching import objective_of
from lamina.run.trained import raw_scores
from lamina.training import Follower, Learners, Ranks, Way, divided, make_update

_REMEMBERED = {"sgd": 0, "momentum": 1, "nesterov": 1, "rmsprop": 2}
"""Numbers that an optimizer remembers of each weight; two where nothing else stands here."""
FILLED = 0.8
"""The share of a device's memory that may be taken by what does not depend on the batch."""


@dataclass(frozen=True)
class Job:
    """All that another process needs to take part in one training; blocks travel as their places on the disk."""

    plan: Plan
    facts: Mapping[str, Facts]
    blocks: Mapping[str, StoredBlock]
    weight: np.ndarray | None
    rows: np.ndarray
    """To learn from."""
    more: range
    """Further rows of the store, to learn from."""
    judged: np.ndarray
    """To judge by."""
    way: Way
    rate: float
    """The highest learning rate."""
    shares: bool
    """Whether the weights are divided among the processes."""


def divides(network: nn.Module, settings: TrainingPlan, device: torch.device, size: int,
            couples_rows: bool) -> tuple[bool, str]:  # fmt: skip
    """Whether processes divide the weights among themselves, and how they train together, in words."""
    each = 3 + _REMEMBERED.get(settings.optimizer, 2) + (settings.average > 0)  # weights, gradients, their sum, ...
    needed = each * sum(p.numel() * p.element_size() for p in network.parameters())
    there = device_memory(device)
    shares = needed > FILLED * there if settings.shard is None else settings.shard
    shares = shares and settings.objective == "supervised"  # several networks in turns are not divided
    how = "which divide the weights among themselves" if shares else "each with a copy of the network"
    text = f"{size} processes, {how}: training takes {needed / 2**20:,.0f} MiB beside the batch, and each has "
    text += f"{there / 2**20:,.0f}"
    if couples_rows:
        text += "; normalising by the batch goes by the rows of each process"
    return shares, text


def help_fit(ranks: Ranks, job: Job, hidden: HiddenLayer | None) -> None:
    """Take part in a training that the first process leads, to its end.

    Raises:
        Dismissed: if it ended early.
    """
    settings = job.plan.training
    device = pick_device(settings.device)
    network = build_network(job.plan, job.facts, hidden).network
    collate = collate_of(job.plan, job.blocks, job.weight, device)
    lengths = row_lengths(network, job.blocks)
    stream = RowStream(job.rows, settings.batch_size, settings.seed, collate, ranks.rank, ranks.size, lengths, job.more)
    learner, average = (
        divided(network, settings.average, device, ranks.size) if job.shares else (job.way.place(network, device), None)
    )
    objective = objective_of(job.plan, job.facts, learner)
    updates = {name: make_update(player, settings, job.rate) for name, player in objective.players.items()}
    learners = Learners(objective, stream, updates, average)
    # The averaged network is judged together, where each process holds a share of it.
    judge = None if average is None else partial(raw_scores, cast(Network, average.module), collate, job.judged)
    with job.way.at_work(learner):
        Follower(ranks, learners, settings.seed, job.shares, job.way.autocast(device), judge).follow()
