"""Text that is written as the answer: a decoder that looks at the features and at what it has written so far.

Vaswani et al. 2017, "Attention Is All You Need"; trained on the true beginning of each answer (teacher forcing), with
smoothed targets, and written by beam search.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from torch import Tensor
from torch.nn import functional

from lamina.data.batch import Block, Chunk, Facts, Ragged, Values, in_rows
from lamina.data.vocabulary import END, FIRST, START, Unit, Vocabulary, numbered, texts_of
from lamina.ground.errors import DataError, PlanError
from lamina.ground.shapes import Features, Form, Shape
from lamina.losses import Loss
from lamina.metrics import Metric, bleu_signature, written_metrics
from lamina.outputs.contract import Answers, OutputLayer, OutputPlan
from lamina.outputs.decoder import Decoder
from lamina.outputs.decoding import State, beam_search

ROWS = 64
"""Rows that are written side by side."""
_SPARE = 10
"""Tokens that an answer may have beyond twice what it was made from, and beyond the longest of training."""


@dataclass(frozen=True, kw_only=True)
class TextOutput(OutputPlan):
    """An answer in words: a translation, a reply."""

    kind: ClassVar[str] = "text"
    accepts: ClassVar[tuple[Form, ...]] = ("tokens",)

    unit: Unit = "subwords"
    """What a token is: a piece of a word, or a character."""
    most: int = 4_000
    """Different tokens at most."""
    width: int = 192
    """Numbers of a token between the blocks."""
    num_layers: int = 3
    """Blocks on top of each other."""
    heads: int = 4
    """Ways of looking side by side; the width is divided among them."""
    dropout: float = 0.1
    """Share of each block's answer that is left out at random in training."""
    smoothing: float = 0.1
    """Share of each target that is spread over all tokens (Szegedy et al. 2016)."""
    beams: int = 4
    """Beginnings that are followed side by side; 1 takes the likeliest token each time."""

    def __post_init__(self) -> None:
        if min(self.width, self.num_layers, self.heads, self.beams) < 1 or self.most < 300:
            raise PlanError(
                f"outputs of text: width, num_layers, heads and beams are at least 1, and most 300: {self}."
            )
        if self.width % (2 * self.heads):
            raise PlanError(f"outputs of text: a width of {self.width} cannot be divided among {self.heads} heads in "
                            f"pairs; take a multiple of {2 * self.heads}.")  # fmt: skip
        if not 0 <= self.dropout < 1 or not 0 <= self.smoothing < 1:
            raise PlanError(f"outputs of text: dropout is {self.dropout} and smoothing {self.smoothing}; both are from "
                            "0 to below 1.")  # fmt: skip

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """The vocabulary, how often each token stands in the training rows, and the longest answer in tokens.

        Raises:
            DataError: if they hold no text.
        """
        kept = list(chunks)
        texts = (text for chunk in kept for text in texts_of(chunk, self.column))
        vocabulary = Vocabulary.learn(texts, self.unit, self.most)
        blocks = [numbered(chunk, self.column, vocabulary) for chunk in kept]
        tokens = np.concatenate([block.values for block in blocks]) if blocks else np.empty(0, np.int32)
        if not len(tokens):
            raise DataError(f"Column {self.column!r} holds no text: there is no answer to learn from.")
        longest = max(int(np.diff(block.offsets).max(initial=0)) for block in blocks if block.offsets is not None)
        counts = np.bincount(tokens, minlength=vocabulary.size)
        often = Counter(text for chunk in kept for text in texts_of(chunk, self.column) if text)
        usual = min(often, key=lambda text: (-often[text], text))
        rows = sum(map(len, kept))
        return {**vocabulary.facts(), "counts": counts, "longest": longest, "usual": usual, "rows": rows}

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """For each row the numbers of its tokens, int32; a gap is a problem."""
        block = numbered(chunk, self.column, Vocabulary.of(facts))
        assert block.offsets is not None
        why = f"{self.column} is a gap: no answer to learn from or to compare with"
        problems = {int(entry): why for entry in np.flatnonzero(np.diff(block.offsets) == 0)}
        return Block(block.values, block.offsets, problems=problems)

    def build(self, facts: Facts, shape: Shape) -> "TextLayer":
        """The decoder for tokens of this width.

        Raises:
            MachineError: if the package that measures answers is not installed.
        """
        return TextLayer(self, facts, shape)


class TextLayer(OutputLayer):
    """Features of tokens -> an answer, token by token.

    Raw scores are of two kinds. With targets: (batch, 1, 4) what each row's tokens cost in nats, with smoothed targets
    and without, how many they are, and their characters. Without: (batch, 1, longest, 2) the tokens of the answer as
    numbers, `END` after its end, and how likely the whole is, per token.
    """

    judged_by_targets: ClassVar[bool] = True
    writes: ClassVar[bool] = True
    decides = "bleu"
    chooses = "nats_per_character"

    lengths: Tensor
    possible: Tensor

    def __init__(self, plan: TextOutput, facts: Facts, shape: Shape):
        """A decoder whose last layer shares its weights with the vectors of tokens (Press and Wolf 2017)."""
        super().__init__()
        self.plan, self.vocabulary = plan, Vocabulary.of(facts)
        bleu_signature()  # what measures the answers must be there before time is spent on learning them
        self._longest = int(facts["longest"])  # type: ignore[call-overload]
        self._metrics = written_metrics(self.vocabulary.text)
        self.decoder = Decoder(self.vocabulary.size, shape.width, plan.width, plan.num_layers, plan.heads, plan.dropout)
        counts = np.asarray(facts["counts"], dtype=np.float64)
        with torch.no_grad():
            self.decoder.bias.copy_(torch.from_numpy(np.log((counts + 1) / (counts + 1).sum())))
        self.register_buffer("lengths", torch.from_numpy(self.vocabulary.characters), persistent=False)
        possible = torch.ones(self.vocabulary.size, dtype=torch.bool)
        possible[:FIRST] = False
        possible[END] = True
        self.register_buffer("possible", possible, persistent=False)

    def forward(self, features: Features, targets: Values | None = None) -> Tensor:
        if targets is None:
            return self.write(features)
        assert isinstance(targets, Ragged)
        known = targets.padded(START).long()
        before = functional.pad(known, (1, 0), value=START)
        wanted = functional.pad(known, (0, 1), value=START)
        wanted.scatter_(1, targets.lengths[:, None], END)
        there = torch.arange(wanted.shape[1], device=wanted.device) <= targets.lengths[:, None]
        hidden = self.decoder(before, features)
        scores, true = self.decoder.scores(hidden[there]).float(), wanted[there]  # scores for true places only
        smoothed = functional.cross_entropy(scores, true, reduction="none", label_smoothing=self.plan.smoothing)
        nats = functional.cross_entropy(scores.detach(), true, reduction="none")
        counted = torch.stack([smoothed, nats, torch.ones_like(nats), self.lengths[true].to(nats.dtype)], -1)
        return counted.new_zeros(len(known), 4).index_add(0, there.nonzero()[:, 0], counted)[:, None]

    @torch.no_grad()
    def write(self, features: Features) -> Tensor:
        """The likeliest answers that were found: (batch, 1, longest, 2)."""
        values, lengths = features.values, features.lengths
        if lengths is None:
            lengths = torch.full((len(values),), values.shape[1], device=values.device)
        order = lengths.argsort(stable=True)  # rows of like length are written together
        found: list[tuple[list[int], float]] = [([], 0.0)] * len(values)
        for rows in order.split(ROWS):
            longest = int(lengths[rows].max())
            some = features.with_values(values[rows, :longest])
            state = self.start(Features(some.form, some.values, lengths[rows]))
            most = (2 * lengths[rows]).clamp(max=self._longest) + _SPARE
            first = rows.new_full((len(rows),), START)
            answers = beam_search(self, state, first, self.plan.beams, most.tolist(), END)
            for row, answer in zip(rows.tolist(), answers, strict=True):
                found[row] = answer
        size = max((len(tokens) for tokens, _ in found), default=0) + 1
        raw = torch.full((len(values), 1, size, 2), float(END))
        for row, (tokens, chance) in enumerate(found):
            raw[row, 0, : len(tokens), 0] = torch.tensor(tokens, dtype=torch.float32)
            raw[row, 0, :, 1] = chance
        return raw

    def start(self, features: Features) -> State:
        """What writing begins with: the features as the decoder looks at them, and nothing written."""
        return self.decoder.start(features)

    def step(self, state: State, last: Tensor) -> tuple[Tensor, State]:
        """One token more, (batch,): log-probabilities of what follows, (batch, tokens), and the state after it."""
        scores, state = self.decoder.step(state, last)
        return scores.float().masked_fill(~self.possible, -math.inf).log_softmax(-1), state

    def loss(self, raw: Tensor, targets: Values, weight: Tensor | None = None) -> Loss:
        """Nats of all tokens, smoothed; the count is that of tokens."""
        nats, tokens = raw[..., 0].mean(1), raw[..., 2].mean(1)
        if weight is not None:
            nats, tokens = nats * weight, tokens * weight
        return Loss(nats.sum(), tokens.sum().detach())

    def decode(self, raw: Tensor, context: Mapping[str, pl.Series]) -> Answers:
        """Rows with targets: nats, tokens and characters. Rows without: what was written, and how likely a token is."""
        if raw.dim() == 3:
            return Answers(raw.double().mean(1)[:, 1:].cpu().numpy())
        texts = in_rows(self.vocabulary.text(row.long().tolist()) for row in raw[:, 0, :, 0].cpu())
        column = self.plan.column
        return Answers(texts, {column: texts, f"{column}_confidence": raw[:, 0, 0, 1].cpu().numpy()})

    def metrics(self) -> Mapping[str, Metric]:
        return self._metrics
