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
from lamina.data.words import Division, divided, division_of
from lamina.ground.shapes import Features, Geometry, Shape, tokens
from lamina.inputs._sequence import SequenceInput, forgotten, numbers_of, ranked
from lamina.inputs.contract import InputLayer

LEAST_LETTERS = 3
"""Words of training rows in which a letter must stand to be known."""
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
    letters: int = 20
    """Letters of a word that are read at most: the middle of longer ones is left out."""
    marks: bool = False
    """Whether commas and the like stand apart, as in running text; tags need words as they were given."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._at_least(letters=2, spelling=0)

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """How words are given, which are known, the most frequent first, and which letters.

        Raises:
            DataError: if there is no word.
        """
        cells = [cell for chunk in chunks for cell in chunk.frame[self.columns[0]]]
        division: Division = "lists" if self.marks else division_of(cells)  # of a text that is no list: running text
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
        size = self.letters if self.spelling else 0
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
        size = self.letters if self.spelling else 0
        return [self.kind, list(self.columns), self.fold, size, facts["division"], facts["known"], facts["letters"]]

    def build(self, facts: Facts) -> "WordsLayer":
        """The layer, with a vector for each known word and letter."""
        return WordsLayer(self, FIRST + len(numbers_of(facts["known"])), FIRST + len(numbers_of(facts["letters"])))

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
        self.forget = plan.forget
        self.shape = Shape("tokens", plan.width + plan.spelling)
        nn.init.normal_(self.vectors.weight, std=plan.width**-0.5)

    def forward(self, values: Values) -> Features:
        assert isinstance(values, Ragged)
        found = self.vectors(values.values[:, 0])
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
        self.vectors, self.reach = nn.Embedding(letters, inner), size // 2
        self.filters = nn.Linear(inner * (2 * self.reach + 1), width)

    def forward(self, letters: Tensor) -> Tensor:
        """Letters after the end of a word are no letters: their vectors and the filters' answers there do not count."""
        longest = int((letters != 0).any(0).sum().clamp(min=1))
        letters = letters[:, :longest]
        there = (letters != 0).unsqueeze(2)  # (words, letters, 1)
        vectors = functional.pad(self.vectors(letters) * there, (0, 0, self.reach, self.reach))
        # One product for all words: PyTorch's convolution takes thrice as long on so few channels.
        beside = torch.cat([vectors[:, place : place + letters.shape[1]] for place in range(2 * self.reach + 1)], 2)
        return (self.filters(beside) * there).relu().amax(1)


def _shortened(word: str, size: int) -> str:
    """The beginning and the end of a word that is too long."""
    return word if len(word) <= size else word[: (size + 1) // 2] + word[len(word) - size // 2 :]
