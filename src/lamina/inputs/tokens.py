"""Texts as sequences: words, characters or bytes in their order, each with a learned vector."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from lamina.data.batch import WHOLE, Block, Chunk, Facts, Place, Ragged, Values
from lamina.data.finding import setting
from lamina.ground.errors import DataError, PlanError
from lamina.ground.shapes import Features, Geometry, Shape, tokens
from lamina.inputs._phrases import WORD, has_words
from lamina.inputs.contract import InputLayer, InputPlan

Unit = Literal["words", "characters", "bytes"]

NOTHING, UNKNOWN, FIRST = 0, 1, 2
"""What stands for an empty text and for padding; for what was not met in training; the first known token."""


@dataclass(frozen=True, kw_only=True)
class TokensInput(InputPlan):
    """One column of texts, each a sequence of tokens of any length.

    For hidden layers that read in order (rnn, gru, lstm, textconv, transformer); layers for vectors get the average of
    the tokens, as in Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification".
    """

    kind: ClassVar[str] = "tokens"

    unit: Unit | Literal["auto"] = "auto"
    """What a token is; `auto` takes words, or characters where there are no spaces to part words by."""
    width: int = 64
    """Numbers in a token's vector."""
    most: int = 20_000
    """Different tokens at most; the most frequent are kept."""
    least: int = 2
    """Training rows in which a word must stand to have a vector of its own; the others share one."""
    fold: bool = True
    """Whether capital and small letters are the same."""
    forget: float = 0.1
    """Share of the tokens that are taken for unknown ones at random in training."""

    def __post_init__(self) -> None:
        if len(self.columns) != 1:
            raise PlanError(f"An input of tokens reads one column, but is given {len(self.columns)}: {self.columns}.")
        for name in ("width", "most", "least"):
            if (value := getattr(self, name)) < 1:
                raise PlanError(f"{name}: {value} does not do: it is 1 or more.")
        if not 0 <= self.forget < 1:
            raise PlanError(f"forget: {self.forget:g} does not do: it is from 0 to below 1.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """What a token is, and the known ones, the most frequent first.

        Raises:
            DataError: if no text holds a token that is met often enough.
        """
        # Both readings are counted in one pass, for only at its end is it known which one does.
        words: Counter[str] = Counter()
        characters: Counter[str] = Counter()
        texts = size = gaps = 0
        for chunk in chunks:
            for text in self._texts(chunk):
                parted = len(text.split())
                texts, size, gaps = texts + bool(parted), size + len(text), gaps + parted
                words.update(set(WORD.findall(text)))
                characters.update(set(text))
        unit = self.unit
        if unit == "auto":
            unit = "words" if has_words(texts, gaps, size) else "characters"
        known = (
            [] if unit == "bytes" else self._kept(words, self.least) if unit == "words" else self._kept(characters, 1)
        )
        if not size or (unit != "bytes" and not known):
            name = self.columns[0]
            raise DataError(
                f"Column {name!r} holds no {unit[:-1]} that stands in {self.least} training rows: there is nothing to "
                f"learn from. Leave the text out: {setting(name, 'role', 'ignore')}"
            )
        return {"unit": unit, "known": known}

    def _kept(self, counts: Counter[str], least: int) -> list[str]:
        often = [(token, count) for token, count in counts.items() if count >= least]
        return [token for token, _ in sorted(often, key=lambda pair: (-pair[1], pair[0]))[: self.most]]

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """For each row the numbers of its tokens in their order, int32; one `NOTHING` for an empty text or a gap."""
        known: list[str] = facts["known"]  # type: ignore[assignment]
        places = {token: FIRST + place for place, token in enumerate(known)}
        rows = [np.array(self._numbers(text, facts, places) or [NOTHING], np.int32) for text in self._texts(chunk)]
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return Block(np.concatenate([*rows, np.empty(0, np.int32)]), offsets)

    def depends_on(self, facts: Facts) -> object:
        """What a token is, and which are known; their vectors are learned."""
        return [self.kind, list(self.columns), self.fold, facts["unit"], facts["known"]]

    def build(self, facts: Facts) -> "TokensLayer":
        """The layer, with a vector for each known token."""
        known: list[str] = facts["known"]  # type: ignore[assignment]
        return TokensLayer(self, FIRST + (256 if facts["unit"] == "bytes" else len(known)))

    def _texts(self, chunk: Chunk) -> Iterator[str]:
        for text in chunk.frame[self.columns[0]].cast(pl.String).fill_null(""):
            yield text.lower() if self.fold else text

    def _numbers(self, text: str, facts: Facts, places: dict[str, int]) -> list[int]:
        if facts["unit"] == "bytes":
            return [FIRST + byte for byte in text.encode()]
        parts = WORD.findall(text) if facts["unit"] == "words" else text
        return [places.get(part, UNKNOWN) for part in parts]


class TokensLayer(InputLayer):
    """Ragged token numbers -> (batch, longest, width) with lengths."""

    def __init__(self, plan: TokensInput, count: int):
        """A vector for each of `count` numbers; padding is given zeros."""
        super().__init__()
        self.vectors = nn.Embedding(count, plan.width)
        self.forget = plan.forget
        self.shape = Shape("tokens", plan.width)
        nn.init.normal_(self.vectors.weight, std=plan.width**-0.5)

    def forward(self, values: Values) -> Features:
        assert isinstance(values, Ragged)
        looked_up = Ragged(self.vectors(values.values), values.offsets)
        return tokens(looked_up.padded(), values.lengths)

    def augment(self, values: Values, generator: torch.Generator, place: Place = WHOLE) -> tuple[Values, Geometry]:
        """Some tokens taken for unknown ones: the vector of those is learned too, and no word is all there is."""
        assert isinstance(values, Ragged)
        if not self.forget:
            return values, {}
        kept = (chances(values, generator, place) >= self.forget) | (values.values == NOTHING)
        return Ragged(torch.where(kept, values.values, UNKNOWN), values.offsets), {}


def chances(rows: Ragged, generator: torch.Generator, place: Place) -> Tensor:
    """(tokens,) uniform in [0, 1), mixed of a number drawn for the row and the token's place in it.

    So a row's chances are the same however the batch is divided, whose rows may be of any length. The mixing is the
    finaliser of MurmurHash3 (Appleby 2011), on 32 of 64 bits.
    """
    lengths, device = rows.lengths, rows.values.device
    drawn = torch.randint(1 << 32, (place.whole or len(lengths),), generator=generator, device=device)
    drawn = drawn[place.start : place.start + len(lengths)].repeat_interleave(lengths)
    places = torch.arange(len(rows.values), device=device) - rows.offsets[:-1].repeat_interleave(lengths)
    bits = (drawn + places * 0x9E3779B1) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        bits = ((bits ^ (bits >> shift)) * factor) & 0xFFFFFFFF
    return (bits ^ (bits >> 16)).double() / (1 << 32)
