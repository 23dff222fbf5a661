"""A small training that torch's launcher starts in several processes; it notes which rows each step learned from.

    python -m torch.distributed.run --nproc-per-node 2 benchmarks/torture/ranks_launched.py RUN KIND

KIND is `table` or `pictures`; RUN/rows.jsonl gets a line for each process and step. With a third argument STEP the
last process kills itself before that step, once: the launcher is to start all of them anew.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn

import lamina
from lamina.data import Batch, RowStream
from lamina.ground import Dismissed, Interrupted, launched

EPOCHS, ROWS, BATCH = 3, 90, 16


def watch(folder: Path, kill_before: int) -> None:
    """Note what each step learns from, and kill this process when its time has come."""
    rank, ranks = launched()
    attempt = f"{os.getppid()}-{os.environ['TORCHELASTIC_RESTART_COUNT']}" if ranks > 1 else str(os.getpid())
    last, taken = rank == ranks - 1, RowStream.next

    def noted(stream: RowStream) -> Batch:
        where = (stream.epoch, stream.position)
        if last and kill_before == stream.epoch * stream.batches_per_epoch + stream.position:
            try:
                (folder / "killed").touch(exist_ok=False)
            except FileExistsError:
                pass  # once is enough
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        batch = taken(stream)
        if batch.place.counts:
            line = {"attempt": attempt, "rank": rank, "where": where, "rows": batch.rows.tolist()}
            with (folder / "rows.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
        return batch

    RowStream.next = noted  # type: ignore[method-assign, assignment]


def network(kind: str) -> nn.Module:
    """Layers that do not couple rows: the same whichever way rows are divided."""
    torch.manual_seed(0)
    if kind == "table":
        return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
                         nn.Linear(32, 2))  # fmt: skip


def main(folder: Path, kind: str, kill_before: int) -> None:
    """Train, from the start or from where an earlier launch stopped."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    watch(folder, kill_before)
    inputs = torch.randn(
        ROWS + 20, *((6,) if kind == "table" else (3, 8, 8)), generator=torch.Generator().manual_seed(1)
    )
    targets = (inputs.flatten(1).sum(1) > 0).long()
    data, valid = (inputs[:ROWS], targets[:ROWS]), (inputs[ROWS:], targets[ROWS:])
    try:
        lamina.fit(network(kind), data, valid=valid, out=folder / "run", quiet=True, epochs=EPOCHS, batch_size=BATCH,
                   average=0.9, checkpoint_seconds=0.0, precision="float32", device="cpu")  # fmt: skip
    except Interrupted as stop:
        raise SystemExit(128 + stop.signal_number) from None
    except Dismissed as home:
        raise SystemExit(home.code) from None


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else -1)
