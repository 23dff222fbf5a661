"""Texts as a bag: which words, pairs of words and parts of words occur, whatever their order, as one vector."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.data.batch import Block, Chunk, Facts, Ragged, Values
from lamina.data.finding import setting
from lamina.ground.errors import DataError, PlanError, listing
from lamina.ground.shapes import Features, Shape, vector
from lamina.inputs._phrases import BUCKETS, has_words, phrases, placed_runs, runs, word_parts
from lamina.inputs.contract import InputLayer, InputPlan

SYMBOLS = (1, 6)
"""Runs of symbols that count where there are no words, in characters."""
PLACED, BLOCK = (2, 5), 4
"""Runs that count with their place, in blocks of symbols, where all texts have one length."""


@dataclass(frozen=True, kw_only=True)
class TextBagInput(InputPlan):
    """A bag of hashed phrases and parts of words with learned vectors, each weighed by how few texts it stands in.

    Fast and strong on few rows, like the linear models of Wang and Manning 2012, "Baselines and Bigrams"; as there, a
    phrase counts once however often a text repeats it. Parts of words stand for words that are new or misspelled
    (Bojanowski et al. 2017). Sequences of symbols without words, such as DNA, are bags of short runs of them; where
    all have one length, places mean something, and runs count once more with theirs.
    """

    kind: ClassVar[str] = "text"

    width: int = 32
    """Features of a text."""
    words: int = 2
    """The longest phrases that count, in words."""
    letters: tuple[int, int] | None = None
    """The shortest and longest parts of words that count, in letters; None counts whole words only, which is better
    beside other columns (docs/lab-notes.md, Texts)."""
    least: int = 2
    """Training rows in which a phrase must stand."""
    most: int = 100_000
    """Phrases and parts of words at most; the most frequent are kept."""

    def __post_init__(self) -> None:
        for name in ("width", "words", "least", "most"):
            if (value := getattr(self, name)) < 1:
                raise PlanError(f"{name}: {value} does not do: it is 1 or more.")
        if self.letters is not None and not 1 <= self.letters[0] <= self.letters[1]:
            raise PlanError(f"letters: {list(self.letters)} does not do: it is the shortest and the longest part.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """What counts, in how many rows it stands, whether texts are symbols without words, and have one length.

        Raises:
            DataError: if there are not enough texts for any phrase to be met often enough.
        """
        rows = said = size = gaps = 0
        lengths: set[int] = set()
        counts = {symbols: np.zeros(2 * BUCKETS, dtype=np.int64) for symbols in (False, True)}
        for chunk in chunks:
            rows += len(chunk)
            for texts in self._texts(chunk):
                parted = [len(text.split()) for text in texts]
                size, gaps = size + sum(map(len, texts)), gaps + sum(parted)
                said += sum(map(bool, parted))
                counts[False][self._found(texts)] += 1
                if len(lengths) < 2:
                    lengths.update(len(text) for text in texts if text)
                if max(parted) <= 1:  # whether they are symbols is known at the end only
                    counts[True][self._found(texts, symbols=True, placed=True)] += 1
        symbols = not has_words(said, gaps, size)
        placed = symbols and len(lengths) == 1
        often = counts[symbols]
        if symbols and not placed:
            often[:BUCKETS] = 0
        kept = np.flatnonzero(often >= self.least)
        if not len(kept):
            raise DataError(
                f"No word of {listing(self.columns)} stands in {self.least} of the {rows:,} training rows: there is "
                f"nothing to learn from. Leave the text out: {setting(self.columns[0], 'role', 'ignore')}"
            )
        kept = np.sort(kept[np.argsort(-often[kept], kind="stable")[: self.most]])
        return {"rows": rows, "symbols": symbols, "placed": placed, "buckets": kept, "counts": often[kept]}

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """For each row the numbers of the phrases that it holds, rising, int32; phrases not met in training go."""
        buckets = np.asarray(facts["buckets"])
        rows = []
        for texts in self._texts(chunk):
            found = self._found(texts, bool(facts["symbols"]), bool(facts["placed"]))
            places = np.minimum(np.searchsorted(buckets, found), len(buckets) - 1)
            rows.append(places[buckets[places] == found])
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return Block(np.concatenate([*rows, np.empty(0, np.int64)]).astype(np.int32), offsets)

    def depends_on(self, facts: Facts) -> object:
        """What makes phrases, and which are kept; their vectors are learned."""
        kept = np.asarray(facts["buckets"]).tolist()
        return [list(self.columns), self.words, self.letters, facts["symbols"], facts["placed"], kept]

    def build(self, facts: Facts) -> "TextBagLayer":
        """The layer, with what was learned in its buffers."""
        return TextBagLayer(self, facts)

    def _texts(self, chunk: Chunk) -> Iterator[tuple[str, ...]]:
        """Each row's texts, one a column; empty for a gap."""
        columns = [chunk.frame[name].cast(pl.String).fill_null("") for name in self.columns]
        return zip(*columns, strict=True)

    def _found(self, texts: tuple[str, ...], symbols: bool = False, placed: bool = False) -> np.ndarray:
        """The different numbers of a row, rising. Nothing spans two columns."""
        found: list[np.ndarray] = []
        for text in texts:
            if symbols:
                found.append(runs(text, *SYMBOLS))
                if placed:
                    found.append(placed_runs(text, *PLACED, BLOCK))
            else:
                found.append(np.array(phrases(text, self.words), dtype=np.int64))
                if self.letters:
                    found.append(word_parts(text, *self.letters))
        return np.unique(np.concatenate(found))


class TextBagLayer(InputLayer):
    """Ragged phrase numbers -> (batch, width + 1): the weighed sum of vectors, and how much was said."""

    one_rate: ClassVar[frozenset[str]] = frozenset({"vectors"})
    """Parameters whose numbers all learn at one rate: a phrase met once must not move as far as one met often."""

    rarity: Tensor
    is_part: Tensor
    squares: Tensor

    def __init__(self, plan: TextBagInput, facts: Facts):
        super().__init__()
        counts = np.asarray(facts["counts"])
        rows = int(facts["rows"])  # type: ignore[call-overload]
        rarity = np.log((1 + rows) / (1 + counts)) + 1  # as in scikit-learn's TfidfTransformer
        self.register_buffer("rarity", torch.tensor(rarity, dtype=torch.float32))
        self.register_buffer("is_part", torch.from_numpy(np.asarray(facts["buckets"]) >= BUCKETS))
        squares = torch.stack([self.rarity.square() * ~self.is_part, self.rarity.square() * self.is_part], 1)
        self.register_buffer("squares", squares, persistent=False)  # (phrases, 2) of words and of parts
        self._usual = math.log1p(counts.sum() / rows)
        # Nearly nothing at first: what stands in a single row would otherwise stay as it was drawn.
        self.vectors = nn.Parameter(0.01 * torch.randn(len(counts), plan.width))
        self.shape = Shape("vector", plan.width + 1)

    def forward(self, values: Values) -> Features:
        assert isinstance(values, Ragged)
        numbers = values.values.long()
        weight, is_part = self.rarity[numbers], self.is_part[numbers].long()
        # Words and their parts are each brought to length 1, for there are many more parts.
        lengths = functional.embedding_bag(numbers, self.squares, values.offsets, mode="sum", include_last_offset=True)
        row = torch.bucketize(torch.arange(len(numbers), device=numbers.device), values.offsets[1:], right=True)
        weight = weight / lengths.clamp(min=1).sqrt()[row, is_part]
        # (batch, width): sums over each row's phrases; a row without any gives zeros.
        total = functional.embedding_bag(
            numbers, self.vectors, values.offsets, mode="sum", per_sample_weights=weight, include_last_offset=True
        )
        said = torch.log1p(values.lengths.float())[:, None] - self._usual
        return vector(torch.cat([total, said], dim=1))
