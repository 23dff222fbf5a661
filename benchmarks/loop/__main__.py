"""What Lamina's loop costs beside a hand-written one: the same module, data, order, optimizer and schedule, in turns.

    python -m benchmarks.loop

Both train on the same tensors from the same weights, without judging in between, on one thread, for Lamina would take
one where that is faster and leave the other loop with all; the losses at the end must agree.
Prints seconds of each and the ratio of medians, and writes `benchmarks/loop/result.json`.
"""

import copy
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import lamina
from lamina.ground import machine, permutation, prepare_process

ROWS, BATCH, EPOCHS, REPEATS = 20_000, 256, 4, 15
STEPS = -(-ROWS // BATCH) * EPOCHS


def module() -> nn.Module:
    """A small dense network, where a loop's own cost weighs most."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(14, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 2))


def by_hand(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """The loop as people write it, with the same order, clipping and schedule; the loss on all rows."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.9, 0.99), fused=True)
    network.train()
    for epoch in range(EPOCHS):
        order = permutation(ROWS, 0, "order", epoch)
        for rows in np.array_split(order, -(-ROWS // BATCH)):
            index = torch.from_numpy(rows)
            loss = functional.cross_entropy(network(inputs[index]), targets[index])
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    return final_loss(network, inputs, targets)


def by_lamina(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """The same through `lamina.fit`, judged once, at the end, on a single row."""
    held = (inputs[:1], targets[:1])
    lamina.fit(network, (inputs, targets), valid=held, quiet=True, optimizer="adam", learning_rate=1e-3,
               weight_decay=0.0, schedule="constant", warmup=0.0, batch_size=BATCH, epochs=EPOCHS,
               judge_every=STEPS, checkpoint_seconds=1e9)  # fmt: skip
    return final_loss(network, inputs, targets)


@torch.no_grad()
def final_loss(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """The mean loss on all rows."""
    return float(functional.cross_entropy(network.eval()(inputs), targets))


def timed(way: Callable[[nn.Module, Tensor, Tensor], float], inputs: Tensor, targets: Tensor) -> tuple[float, float]:
    """Seconds and final loss of one training from the same start."""
    network = copy.deepcopy(module())
    start = time.perf_counter()
    loss = way(network, inputs, targets)
    return time.perf_counter() - start, loss


def main() -> None:
    """Train in turns, print and keep the figures."""
    prepare_process()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(ROWS, 14, generator=generator)
    targets = (inputs[:, 0] + inputs[:, 1] * inputs[:, 2] > 0).long()
    ways = {"by hand": by_hand, "lamina.fit": by_lamina}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    losses: dict[str, float] = {}
    for repeat in range(REPEATS + 1):
        for name, way in ways.items():
            spent, losses[name] = timed(way, inputs, targets)
            if repeat:  # the first of each warms up
                seconds[name].append(spent)
    medians = {name: statistics.median(spent) for name, spent in seconds.items()}
    ratio = medians["lamina.fit"] / medians["by hand"]
    found = {
        "steps": STEPS, "repeats": REPEATS, "seconds": seconds, "medians": medians, "ratio": round(ratio, 4),
        "microseconds_a_step": {name: round(1e6 * value / STEPS, 1) for name, value in medians.items()},
        "losses": losses, "machine": machine(),
    }  # fmt: skip
    Path(__file__).with_name("result.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps({name: found[name] for name in ("medians", "microseconds_a_step", "ratio", "losses")}, indent=1))


if __name__ == "__main__":
    main()
