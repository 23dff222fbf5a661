"""How much of what Lamina reads and writes in training is padding: each batch's rows are filled up to its longest."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.quality.rows import ROWS, Row
from lamina.api.choice import choose, look, seed_of
from lamina.api.request import read_request
from lamina.data import Batch, RowStream
from lamina.network import build_network, row_lengths
from lamina.run import prepare

IN_ORDER = ("tokens", "words", "before")
"""Kinds of inputs that read a text token by token."""


def shares(data: Path) -> dict[str, float]:
    """The share of padding in an epoch, by data set: those of texts, as far as their plans read or write tokens."""
    found = {}
    with TemporaryDirectory() as folder:
        os.environ["LAMINA_CACHE"] = folder
        for name, row in ROWS.items():
            share = None if row.compared else share_of(row, data / row.place, Path(folder) / name)
            if share is not None:
                found[name] = share
    return found


def share_of(row: Row, data: Path, folder: Path) -> float | None:
    """Of one data set, with the plan that Lamina chooses; None where no tokens are padded."""
    folder.mkdir()
    train, test = row.load(data, folder, 0)
    predict = [] if row.target is None else [row.target] if isinstance(row.target, str) else row.target
    request = read_request(train.files, test.files, predict, None, dict(row.settings), None, None, None)
    seen = look(train.files, test.files, request)
    plan = choose(seen, request)
    if not any(part.kind in IN_ORDER for part in plan.inputs.values()):
        return None
    prepared = prepare(plan, seen.table, seen.columns, seen.split, lambda *told: None)
    network = build_network(plan, prepared.facts).network
    rows = prepared.split.train
    lengths = row_lengths(network, prepared.blocks)
    assert lengths is not None
    stream = RowStream(rows, plan.training.batch_size, seed_of(request),
                       lambda some: Batch({}, {}, torch.from_numpy(some)), lengths=lengths)  # fmt: skip
    paths = [*(f"inputs.{name}" for name in network.sequences), *(f"outputs.{name}" for name in network.outputs)]
    spans = [span for path in paths if (span := prepared.blocks[path].offsets) is not None]
    true = padded = 0
    for _ in range(stream.batches_per_epoch):
        some = stream.next().rows.numpy()
        for span in spans:
            of_each = span[some + 1] - span[some]
            true += int(of_each.sum())
            padded += len(of_each) * int(of_each.max())
    return 1 - true / padded
