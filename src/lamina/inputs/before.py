"""What stands before each token of a text: for networks that learn what comes next."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from lamina.data.batch import Block, Chunk, Facts, Ragged, Values
from lamina.data.vocabulary import FIRST, START, Unit, Vocabulary, numbered, texts_of
from lamina.ground.errors import DataError, PlanError
from lamina.ground.shapes import Features, Shape, tokens
from lamina.inputs.contract import InputLayer, InputPlan


@dataclass(frozen=True, kw_only=True)
class BeforeInput(InputPlan):
    """One column of text, read from a start on; place i of the features has seen the first i tokens.

    So a row of n tokens has n + 1 places, and the last has seen all of it. Hidden layers behind it must not look
    ahead: `lstm`, `gru` or `rnn` with `both_ways: false`, `transformer` with `causal: true`.
    """

    kind: ClassVar[str] = "before"

    unit: Unit = "characters"
    """What a token is: a character, or a piece of a word; the output must have the same."""
    most: int = 8_000
    """Different tokens at most."""
    width: int = 64
    """Numbers in a token's vector."""

    def __post_init__(self) -> None:
        if len(self.columns) != 1:
            raise PlanError(f"This input reads one column, but is given {len(self.columns)}: {self.columns}.")
        if self.width < 1 or self.most < 300:
            raise PlanError(f"width is {self.width} and most {self.most}: they are at least 1 and 300.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """The vocabulary of the training rows.

        Raises:
            DataError: if they hold no text.
        """
        vocabulary = Vocabulary.learn(
            (text for chunk in chunks for text in texts_of(chunk, self.columns[0])), self.unit, self.most
        )
        if vocabulary.size <= FIRST:
            raise DataError(f"Column {self.columns[0]!r} holds no text: there is nothing to learn from.")
        return vocabulary.facts()

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """For each row the numbers of its tokens, int32."""
        return numbered(chunk, self.columns[0], Vocabulary.of(facts))

    def depends_on(self, facts: Facts) -> object:
        """The vocabulary; the vectors are learned."""
        return [self.kind, list(self.columns), facts]

    def build(self, facts: Facts) -> "BeforeLayer":
        """The layer, with a vector for each token."""
        return BeforeLayer(self, Vocabulary.of(facts).size)


class BeforeLayer(InputLayer):
    """Ragged token numbers -> (batch, longest + 1, width), with lengths."""

    def __init__(self, plan: BeforeInput, size: int):
        """A vector for each of `size` numbers."""
        super().__init__()
        self.vectors = nn.Embedding(size, plan.width)
        self.shape = Shape("tokens", plan.width)
        nn.init.normal_(self.vectors.weight, std=plan.width**-0.5)

    def forward(self, values: Values) -> Features:
        assert isinstance(values, Ragged)
        known = values.padded(START)
        starts = known.new_full((len(known), 1), START)
        return self.look_up(torch.cat([starts, known], 1), values.lengths + 1)

    def look_up(self, numbers: Tensor, lengths: Tensor | None = None) -> Features:
        """Tokens that go on where others ended, (batch, tokens), as features."""
        return tokens(self.vectors(numbers), lengths)
