"""What comes next in a text: at each place a probability for every token."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.data.batch import Block, Chunk, Facts, Ragged, Values
from lamina.data.vocabulary import FIRST, START, UNKNOWN, UNSEEN, Unit, Vocabulary, numbered, texts_of
from lamina.ground.errors import DataError, PlanError
from lamina.ground.shapes import Features, Form, Shape
from lamina.losses import Loss
from lamina.metrics import Metric, language_metrics
from lamina.outputs.contract import Answers, OutputLayer, OutputPlan
from lamina.outputs.memory import Memory


@dataclass(frozen=True, kw_only=True)
class NextOutput(OutputPlan):
    """Each token of a text from those before it; behind an input of kind `before` of the same column."""

    kind: ClassVar[str] = "next"
    accepts: ClassVar[tuple[Form, ...]] = ("tokens",)
    looks_back: ClassVar[bool] = True

    unit: Unit = "characters"
    """What a token is: a character, or a piece of a word; as the input's."""
    most: int = 8_000
    """Different tokens at most; as the input's."""
    memory: int = 4_096
    """Tokens read last, among which what followed places like the present one is looked up; 0 looks up nothing."""

    def __post_init__(self) -> None:
        if self.memory < 0:
            raise PlanError(f"memory: {self.memory} does not do: it is a number of tokens, or 0.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """The vocabulary, and how often each token stands in the training rows.

        Raises:
            DataError: if they hold no text.
        """
        kept = list(chunks)
        vocabulary = Vocabulary.learn(
            (text for chunk in kept for text in texts_of(chunk, self.column)), self.unit, self.most
        )
        if vocabulary.size <= FIRST:
            raise DataError(f"Column {self.column!r} holds no text: there is nothing to learn from.")
        counts = np.zeros(vocabulary.size, dtype=np.int64)
        for chunk in kept:
            counts += np.bincount(numbered(chunk, self.column, vocabulary).values, minlength=vocabulary.size)
        return {**vocabulary.facts(), "counts": counts, "rows": sum(map(len, kept))}

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """For each row the numbers of its tokens, int32; a row without any is a problem."""
        block = numbered(chunk, self.column, Vocabulary.of(facts))
        assert block.offsets is not None
        empty = np.flatnonzero(np.diff(block.offsets) == 0)
        problems = {int(entry): f"{self.column} holds no text" for entry in empty}
        return Block(block.values, block.offsets, problems=problems)

    def build(self, facts: Facts, shape: Shape) -> "NextLayer":
        """The layer for tokens of this width."""
        return NextLayer(self, facts, shape)


class NextLayer(OutputLayer):
    """Features of each place -> a score for every token that may follow.

    Raw scores are of two kinds. With targets: (batch, 1, 4) what each row's tokens cost in nats, how many they are,
    their characters, and how many are unknown. Without: (batch, 1, 1, tokens) scores for what follows the row.
    """

    judged_by_targets: ClassVar[bool] = True
    decides = "nats_per_character"

    lengths: Tensor
    possible: Tensor

    def __init__(self, plan: NextOutput, facts: Facts, shape: Shape):
        """A linear map whose bias starts from how often each token occurs."""
        super().__init__()
        self.plan, self.vocabulary = plan, Vocabulary.of(facts)
        counts = np.asarray(facts["counts"], dtype=np.float64)
        self.head = nn.Linear(shape.width, self.vocabulary.size)
        self.memory = Memory(plan.memory)
        with torch.no_grad():
            self.head.bias.copy_(torch.from_numpy(np.log((counts + 1) / (counts + 1).sum())))
        self.register_buffer("lengths", torch.from_numpy(self.vocabulary.characters), persistent=False)
        possible = torch.ones(self.vocabulary.size, dtype=torch.bool)
        possible[:FIRST] = False  # what has no letters cannot be written
        self.register_buffer("possible", possible, persistent=False)

    def forward(self, features: Features, targets: Values | None = None) -> Tensor:
        if targets is None:
            assert features.lengths is not None
            last = features.values[torch.arange(len(features.values)), features.lengths - 1]
            return self.scores(last)[:, None, None]
        assert isinstance(targets, Ragged)
        wanted = targets.padded(START).long()
        return self.costs(self.scores(features.values[:, : wanted.shape[1]]), wanted).sum(1)[:, None]

    def scores(self, values: Tensor) -> Tensor:
        """(..., width) -> (..., tokens) raw scores."""
        return self.head(values)

    def costs(self, scores: Tensor, wanted: Tensor) -> Tensor:
        """(batch, places, 4) nats, tokens, characters and unknown ones of each token; zeros where `START` pads."""
        there = wanted != START
        nats = functional.cross_entropy(scores.float().flatten(0, 1), wanted.flatten(), reduction="none")
        counted = torch.stack([there, self.lengths[wanted], wanted == UNKNOWN], -1)
        return torch.cat([(nats.view_as(wanted) * there)[..., None], counted], -1)

    def loss(self, raw: Tensor, targets: Values, weight: Tensor | None = None) -> Loss:
        """Nats of all tokens; the count is that of tokens."""
        nats, tokens = raw[..., 0].mean(1), raw[..., 1].mean(1)
        if weight is not None:
            nats, tokens = nats * weight, tokens * weight
        return Loss(nats.sum(), tokens.sum().detach())

    def decode(self, raw: Tensor, context: Mapping[str, pl.Series]) -> Answers:
        """Rows with targets: nats, tokens and characters. Rows without: the likeliest next token, and how likely."""
        if raw.dim() == 3:
            nats, tokens, characters, unknown = raw.double().mean(1).unbind(-1)
            return Answers(torch.stack([nats + UNSEEN * unknown, tokens, characters], -1).cpu().numpy())
        probabilities = self.chances(raw[:, :, 0]).mean(1).cpu().numpy()
        best = probabilities.argmax(1)
        words = np.array([self.vocabulary.text([number]) for number in best], dtype=object)
        column = self.plan.column
        return Answers(
            probabilities, {column: words, f"{column}_confidence": probabilities[np.arange(len(best)), best]}
        )

    def chances(self, scores: Tensor) -> Tensor:
        """(..., tokens) probabilities of what may be written: of known tokens."""
        return scores.float().masked_fill(~self.possible, -math.inf).softmax(-1)

    def metrics(self) -> Mapping[str, Metric]:
        return language_metrics()
