"""Words in their order, none parted or joined, each known by itself and by its spelling.

For answers that are a tag for each word: the features keep to the words as they were given. Names and rare words, which
no training row may hold, are told by their letters, read by a small convolution (Ma and Hovy 2016, "End-to-end Sequence
Labeling via Bi-directional LSTM-CNNs-CRF").
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.data.batch import WHOLE, Block, Chunk, Facts, Place, Ragged, Values
from lamina.data.vocabulary import FIRST, UNKNOWN
from lamina.data.words import divided, division_of
from lamina.ground.errors import PlanError
from lamina.ground.shapes import Features, Geometry, Shape, tokens
from lamina.inputs._sequence import SequenceInput, forgotten, numbers_of, ranked
from lamina.inputs.contract import InputLayer

LEAST_LETTERS = 3
"""Words of training rows in which a letter must stand to be known."""
BUCKETS = 1 << 15
"""Vectors that parts of words share."""
_END = 1 << 20
"""Stands for an end of a word: no letter has that number."""
_FACTOR, _PRIME = 1_000_003, 2_147_483_647
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, kw_only=True)
class WordsInput(SequenceInput):
    """One column of words in their order: lists of them, or texts whose words stand between blanks.

    `fold` makes all digits alike, too, but not to spelling, which tells them and capital letters apart; a word that is
    forgotten is known by its spelling alone.
    """

    kind: ClassVar[str] = "words"

    spelling: int = 64
    """Numbers that tell of its letters, beside these; 0 tells nothing."""
    parts: tuple[int, int] | None = None
    """The shortest and longest parts of words, in letters, whose vectors are added to a word's; None adds nothing."""
    letters: int = 20
    """Letters of a word that are read at most: the middle of longer ones is left out."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._at_least(letters=2, spelling=0)
        if self.parts is not None and not 1 <= self.parts[0] <= self.parts[1]:
            raise PlanError(f"parts: {list(self.parts)} does not do: it is the shortest and the longest part.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """How words are given, which are known, the most frequent first, and which letters.

        Raises:
            DataError: if there is no word.
        """
        cells = [cell for chunk in chunks for cell in chunk.frame[self.columns[0]]]
        division = division_of(cells)
        known, met = Counter[str](), set[str]()
        for cell in cells:
            words = divided(cell, division).words
            known.update({self._folded(word) for word in words})
            met.update(words)
        if not met:
            raise self._nothing("word")
        letters = Counter(letter for word in met for letter in set(word))
        return {
            "division": division,
            "known": ranked(known, self.least)[: self.most],
            "letters": ranked(letters, LEAST_LETTERS),
        }

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(words, 1 + letters) int32 for each row: each word's number and those of its letters, 0 after its end."""
        known = numbers_of(facts["known"])
        letters = numbers_of(facts["letters"])
        size = self._size
        nothing = np.zeros((1, 1 + size), np.int32)
        seen: dict[str, np.ndarray] = {}

        def looked_up(word: str) -> np.ndarray:
            if word not in seen:
                spelled = [letters.get(letter, UNKNOWN) for letter in _shortened(word, size)]
                number = known.get(self._folded(word), UNKNOWN)
                seen[word] = np.array([number, *spelled, *[0] * (size - len(spelled))], np.int32)
            return seen[word]

        rows = [
            np.stack([looked_up(word) for word in words]) if words else nothing for words in self._rows(chunk, facts)
        ]
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return Block(np.concatenate([*rows, nothing[:0]]), offsets)

    def depends_on(self, facts: Facts) -> object:
        """What is known, and how much of a word's spelling is read; vectors are learned."""
        return [self.kind, list(self.columns), self.fold, self._size, facts["division"], facts["known"], facts["letters"]]

    def build(self, facts: Facts) -> "WordsLayer":
        """The layer, with a vector for each known word and letter."""
        return WordsLayer(self, FIRST + len(numbers_of(facts["known"])), FIRST + len(numbers_of(facts["letters"])))

    @property
    def _size(self) -> int:
        """Letters of each word that are kept at hand."""
        return self.letters if self.spelling or self.parts else 0

    def _rows(self, chunk: Chunk, facts: Facts) -> Iterator[list[str]]:
        for cell in chunk.frame[self.columns[0]]:
            yield divided(cell, facts["division"]).words  # type: ignore[arg-type]

    def _folded(self, word: str) -> str:
        return _DIGIT.sub("0", word.lower()) if self.fold else word


class WordsLayer(InputLayer):
    """Ragged numbers of words and letters -> (batch, longest, width + spelling) with lengths."""

    def __init__(self, plan: WordsInput, words: int, letters: int):
        """A vector for each of so many words and letters."""
        super().__init__()
        self.vectors = nn.Embedding(words, plan.width)
        self.speller = Speller(letters, plan.spelling) if plan.spelling else None
        self.parts = Parts(plan.width, plan.parts) if plan.parts else None
        self.forget = plan.forget
        self.shape = Shape("tokens", plan.width + plan.spelling)
        nn.init.normal_(self.vectors.weight, std=plan.width**-0.5)

    def forward(self, values: Values) -> Features:
        assert isinstance(values, Ragged)
        found = self.vectors(values.values[:, 0])
        if self.parts is not None:
            found = found + self.parts(values.values[:, 1:])
        if self.speller is not None:
            found = torch.cat([found, self.speller(values.values[:, 1:])], dim=1)
        return tokens(Ragged(found, values.offsets).padded(), values.lengths)

    def augment(self, values: Values, generator: torch.Generator, place: Place = WHOLE) -> tuple[Values, Geometry]:
        """Some words taken for unknown ones: what those are must be told by spelling and neighbours."""
        assert isinstance(values, Ragged)
        if not self.forget:
            return values, {}
        numbers = forgotten(values.values[:, 0], values, self.forget, generator, place)
        return Ragged(torch.cat([numbers[:, None], values.values[:, 1:]], dim=1), values.offsets), {}


class Speller(nn.Module):
    """(words, letters) numbers of letters, 0 after the end -> (words, width): of each filter the strongest answer."""

    def __init__(self, letters: int, width: int, inner: int = 32, size: int = 3):
        super().__init__()
        self.vectors = nn.Embedding(letters, inner)
        self.filters = nn.Conv1d(inner, width, size, padding=size // 2)

    def forward(self, letters: Tensor) -> Tensor:
        """Letters after the end of a word are no letters: their vectors and the filters' answers there do not count."""
        there = (letters != 0).unsqueeze(1)  # (words, 1, letters)
        answers = self.filters(self.vectors(letters).transpose(1, 2) * there)
        return torch.where(there, answers, 0).relu().amax(2)


class Parts(nn.Module):
    """(words, letters) numbers of letters, 0 after the end -> (words, width): the sum of vectors of a word's parts.

    New words are told by what they share with known ones (Bojanowski et al. 2017, "Enriching word vectors with subword
    information"). Parts share vectors by hash; the ends of a word count as letters.
    """

    one_rate: ClassVar[frozenset[str]] = frozenset({"vectors"})
    """A part met once must not move as far as one met often."""

    def __init__(self, width: int, lengths: tuple[int, int]):
        super().__init__()
        self.lengths = lengths
        self.vectors = nn.Parameter(0.03 * torch.randn(BUCKETS, width))

    def forward(self, letters: Tensor) -> Tensor:
        """Their sum, by the root of their number; empty words have none."""
        count, size = letters.shape
        marked = letters.new_zeros(count, size + 2, dtype=torch.long)
        marked[:, 1:-1] = letters
        there = marked != 0
        marked[:, 0] = _END
        marked.scatter_(1, there.sum(1, keepdim=True) + 1, _END)  # behind the last letter
        numbers, real = [], []
        for length in range(self.lengths[0], min(self.lengths[1], size + 2) + 1):
            windows = marked.unfold(1, length, 1)  # (words, places, length)
            powers = torch.tensor([_FACTOR**place % _PRIME for place in range(length)], device=letters.device)
            numbers.append(((windows + length) * powers).sum(-1) % _PRIME % BUCKETS)
            real.append(windows[:, :, -1] != 0)
        weights = torch.cat(real, 1).float()
        weights = weights / weights.sum(1, keepdim=True).clamp(min=1).sqrt()
        return functional.embedding_bag(torch.cat(numbers, 1), self.vectors, per_sample_weights=weights, mode="sum")


def _shortened(word: str, size: int) -> str:
    """The beginning and the end of a word that is too long."""
    return word if len(word) <= size else word[: (size + 1) // 2] + word[len(word) - size // 2 :]
