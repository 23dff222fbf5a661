"""A network with all that it needs to answer: its plan, what its parts learned, and the columns it expects."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
import torch
from torch import Tensor
from torch.nn import functional

from lamina.data import (
    CHUNK_ROWS,
    MEDIA_CHUNK_ROWS,
    Batch,
    Block,
    Chunk,
    Column,
    Facts,
    Ragged,
    StoredBlock,
    Table,
    Values,
    in_threads,
)
from lamina.network import Ensemble, Network, Plan, pick, slice_batch, to_values
from lamina.outputs import Answers
from lamina.run.reading import read_on
from lamina.training import in_pieces

SCORE_ROWS = 1024
"""Rows that are scored together, unless they are large: enough to keep the cores busy."""
LEAST_ROWS = 64
"""Rows of like length that go through together where they are sequences."""
ANSWER_ROWS = 2048
"""Prepared rows that go through together: with eight times as many, answers come no sooner (docs/lab-notes.md)."""
WRITE_ROWS = 256
"""The same where answers are written: beams multiply them."""


@dataclass
class Trained:
    """What predicting and evaluating need, and nothing of how it was learned."""

    plan: Plan
    columns: dict[str, Column]
    facts: dict[str, Facts]
    network: Network | Ensemble
    problems: dict[int, str] = field(default_factory=dict)
    """Rows of the table last answered that could not be read, with the reason."""

    def answer(self, table: Table, rows: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, dict[str, Answers]]]:
        """Row numbers and answers by output name, a piece of the table at a time; the table's cells are cast already.

        Rows that cannot be read are answered all the same (an unreadable picture counts as black) and named in
        `problems`.
        """
        self.problems = {}
        media = any(column in table.media for part in self.plan.inputs.values() for column in part.columns)
        columns = [column for part in self.plan.inputs.values() for column in part.columns]
        some = None if table.columns == columns else columns  # choosing takes as long as a row takes the network
        chunks = table.chunks(rows, some, MEDIA_CHUNK_ROWS if media else CHUNK_ROWS)
        many = media and (len(table) if rows is None else len(rows)) > MEDIA_CHUNK_ROWS
        for chunk, blocks in in_threads(self._prepared, chunks) if many else map(self._prepared, chunks):
            inputs: dict[str, Values] = {}
            for name, block in blocks.items():
                self.problems.update({int(chunk.rows[entry]): why for entry, why in block.problems.items()})
                inputs[name] = to_values(block, self.device)
            raw = self.raw(Batch(inputs, {}, torch.from_numpy(chunk.rows)))
            yield chunk.rows, self.decode(raw, chunk.frame)

    def _prepared(self, chunk: Chunk) -> tuple[Chunk, dict[str, Block]]:
        """A piece of a table and what its cells come to by input name."""
        parts = self.plan.inputs.items()
        return chunk, {name: part.prepare(chunk, self.facts[f"inputs.{name}"]) for name, part in parts}

    def judged(self, table: Table, rows: np.ndarray) -> dict[str, Answers]:
        """Answers of rows as they are judged, by output name: made with the targets, which must be usable."""
        columns = [column for part in self.plan.inputs.values() for column in part.columns]
        columns += [column for part in self.plan.outputs.values() for column in part.columns]

        def collate(some: np.ndarray) -> Batch:
            (chunk,) = table.chunks(some, columns, max(len(some), 1))
            inputs = {name: to_values(part.prepare(chunk, self.facts[f"inputs.{name}"]), self.device)
                      for name, part in self.plan.inputs.items()}  # fmt: skip
            targets = {name: to_values(part.prepare(chunk, self.facts[f"outputs.{name}"]), self.device)
                       for name, part in self.plan.outputs.items()}  # fmt: skip
            return Batch(inputs, targets, torch.from_numpy(some))

        return self.decode(raw_scores(self.network, collate, rows), table.frame[rows])

    @property
    def writes(self) -> bool:
        """Whether answers are written token by token."""
        return any(output.writes for output in self.network.outputs.values())

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return self._weight.device

    @cached_property
    def _weight(self) -> Tensor:
        """Any of the network's: looking one up takes as long as a layer takes a row."""
        return next(self.network.parameters())

    @torch.no_grad()
    def raw(self, batch: Batch) -> dict[str, Tensor]:
        """Raw scores of prepared rows by output name, (rows, members, ...) in memory as float32."""
        if self.network.training:
            self.network.eval()
        most = WRITE_ROWS if self.writes else ANSWER_ROWS

        def some(start: int, end: int) -> dict[str, Tensor]:
            return _raw(self.network, slice_batch(batch, start, end))

        return joined_scores(in_pieces(some, len(batch), most, _values(batch)))

    def decode(self, raw: Mapping[str, Tensor], frame: pl.DataFrame | None = None) -> dict[str, Answers]:
        """Raw scores by output name as answers; `frame` holds the cells of these rows, for those that speak of them."""
        cells = {} if frame is None else {column.name: column for column in frame.get_columns()}
        return {name: output.decode(raw[name], cells) for name, output in self.network.outputs.items()}


@torch.no_grad()
def raw_scores(
    network: Network | Ensemble, collate: Callable[[np.ndarray], Batch], rows: np.ndarray
) -> dict[str, Tensor]:
    """Raw scores of stored rows by output name, in evaluation mode: (rows, members, ...) in memory as float32."""
    network.eval()
    if network.reads_on:
        return read_on(network, collate, rows)

    def some(start: int, end: int) -> dict[str, Tensor]:
        return _raw(network, collate(rows[start:end]))

    return joined_scores(in_pieces(some, len(rows), SCORE_ROWS, _values(collate(rows[:1]))))


def _values(batch: Batch) -> int:
    """Numbers that a row of the largest input holds; sequences are looked after by their lengths."""
    return max((values[:1].numel() for values in batch.inputs.values() if isinstance(values, Tensor)), default=1)


def _raw(network: Network | Ensemble, batch: Batch) -> dict[str, Tensor]:
    """Raw scores of a batch; rows of like length go through together, for each is padded to the longest beside it."""
    read = [values for name, values in batch.inputs.items() if name in network.sequences]
    lengths = [values.lengths for values in (*read, *batch.targets.values()) if isinstance(values, Ragged)]
    if not read or not lengths or len(batch) < 2 * LEAST_ROWS:
        return _raw_of(network, batch)
    order = torch.stack(lengths).amax(0).cpu().argsort(stable=True)
    groups = order.tensor_split(len(order) // LEAST_ROWS)
    back = order.argsort()
    found = joined_scores([_raw_of(network, pick(batch, rows)) for rows in groups])
    return {name: raw[back] for name, raw in found.items()}


def _raw_of(network: Network | Ensemble, batch: Batch) -> dict[str, Tensor]:
    targets = batch.targets if network.judged_by_targets and batch.targets else None
    return {name: raw.float().cpu() for name, raw in network(batch.inputs, targets).items()}


def joined_scores(pieces: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Raw scores by output name of several pieces' rows, one after the other."""
    if len(pieces) == 1:
        return dict(pieces[0])
    return {name: _end_to_end([piece[name] for piece in pieces]) for name in pieces[0]}


def _end_to_end(pieces: Sequence[Tensor]) -> Tensor:
    """Raw scores of several pieces; those that are as long as their longest row get zeros up to the longest of all."""
    longest = max(piece.shape[2:3] for piece in pieces)
    if any(piece.shape[2:3] != longest for piece in pieces):
        pieces = [functional.pad(piece, (0, 0, 0, longest[0] - piece.shape[2])) for piece in pieces]
    return torch.cat(list(pieces))


def truths(blocks: Mapping[str, StoredBlock], plan: Plan, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Prepared targets of stored rows by output name, as metrics take them."""
    return {name: blocks[f"outputs.{name}"].take(rows).by_row() for name in plan.outputs}
