"""Texts in tables: which words and pairs of words occur, whatever their order, as one vector."""

import math
import re
import zlib
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
from lamina.inputs.contract import InputLayer, InputPlan

BUCKETS = 1 << 20
"""Phrases are counted by hash: bounded memory, and two frequent phrases hardly ever share a bucket."""
WORD = re.compile(r"\w+(?:'\w+)*")


@dataclass(frozen=True, kw_only=True)
class TextBagInput(InputPlan):
    """A bag of hashed phrases with learned vectors, each weighed by how few texts it stands in (tf-idf).

    Fast and strong on few rows, like the linear models of Wang and Manning 2012, "Baselines and Bigrams"; as there, a
    phrase counts once however often a text repeats it.
    """

    kind: ClassVar[str] = "text"

    width: int = 16
    """Features of a text."""
    words: int = 2
    """The longest phrases that count, in words."""
    least: int = 5
    """Training rows in which a phrase must stand."""
    most: int = 20_000
    """Phrases at most; the most frequent are kept."""

    def __post_init__(self) -> None:
        for name in ("width", "words", "least", "most"):
            if (value := getattr(self, name)) < 1:
                raise PlanError(f"{name}: {value} does not do: it is 1 or more.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """The phrases, in how many rows each stands, and how many of them a row has.

        Raises:
            DataError: if there are not enough texts for any phrase to be met often enough.
        """
        rows, counts = 0, np.zeros(BUCKETS, dtype=np.int64)
        for chunk in chunks:
            rows += len(chunk)
            for phrases in self._phrases(chunk):
                counts[phrases] += 1
        kept = np.flatnonzero(counts >= self.least)
        if not len(kept):
            raise DataError(
                f"No word of {listing(self.columns)} stands in {self.least} of the {rows:,} training rows: there is "
                f"nothing to learn from. Leave the text out: {setting(self.columns[0], 'role', 'ignore')}"
            )
        kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")[: self.most]])
        return {"rows": rows, "buckets": kept, "counts": counts[kept]}

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """For each row the numbers of the phrases that it holds, rising, int32; phrases not met in training go."""
        buckets = np.asarray(facts["buckets"])
        rows = [np.searchsorted(buckets, found[np.isin(found, buckets)]) for found in self._phrases(chunk)]
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return Block(np.concatenate([*rows, np.empty(0, np.int64)]).astype(np.int32), offsets)

    def depends_on(self, facts: Facts) -> object:
        """What makes phrases, and which are kept; their vectors are learned."""
        return [list(self.columns), self.words, np.asarray(facts["buckets"]).tolist()]

    def build(self, facts: Facts) -> "TextBagLayer":
        """The layer, with what was learned in its buffers."""
        return TextBagLayer(self, facts)

    def _phrases(self, chunk: Chunk) -> Iterator[np.ndarray]:
        """The different buckets of each row's phrases, rising; none for a gap. No phrase spans two columns."""
        columns = [chunk.frame[name].cast(pl.String).fill_null("") for name in self.columns]
        for texts in zip(*columns, strict=True):
            found = set()
            for text in texts:
                words = WORD.findall(text.lower())
                for length in range(1, self.words + 1):
                    starts = range(len(words) - length + 1)
                    found |= {_bucket(" ".join(words[start : start + length])) for start in starts}
            yield np.array(sorted(found), dtype=np.int64)


def _bucket(phrase: str) -> int:
    return zlib.crc32(phrase.encode()) % BUCKETS  # the same on every machine, which `hash` is not


class TextBagLayer(InputLayer):
    """Ragged phrase numbers -> (batch, width + 1): the weighed sum of vectors, and how much was said."""

    rarity: Tensor

    def __init__(self, plan: TextBagInput, facts: Facts):
        super().__init__()
        counts = np.asarray(facts["counts"])
        rows = int(facts["rows"])  # type: ignore[call-overload]
        rarity = np.log((1 + rows) / (1 + counts)) + 1  # as in scikit-learn's TfidfTransformer
        self.register_buffer("rarity", torch.tensor(rarity, dtype=torch.float32))
        self._usual = math.log1p(counts.sum() / rows)
        self.vectors = nn.Parameter(0.3 * torch.randn(len(counts), plan.width))
        self.shape = Shape("vector", plan.width + 1)

    def forward(self, values: Values) -> Features:
        assert isinstance(values, Ragged)
        phrases = values.values.long()
        weight = self.rarity[phrases]
        # (batch, width), then (batch, 1): sums over each row's phrases; a row without any gives zeros.
        total = functional.embedding_bag(
            phrases, self.vectors, values.offsets, mode="sum", per_sample_weights=weight, include_last_offset=True
        )
        square = functional.embedding_bag(
            phrases, self.rarity.square()[:, None], values.offsets, mode="sum", include_last_offset=True
        )
        said = torch.log1p(values.lengths.float())[:, None] - self._usual
        return vector(torch.cat([total / square.clamp(min=1).sqrt(), said], dim=1))
