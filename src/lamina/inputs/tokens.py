"""Texts as sequences: words, sub-words, characters or bytes in their order, each with a learned vector."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from lamina.data.batch import WHOLE, Block, Chunk, Facts, Place, Ragged, Values
from lamina.data.published_tokens import PublishedTokens
from lamina.data.vocabulary import FIRST, UNKNOWN, Vocabulary
from lamina.ground.errors import PlanError
from lamina.ground.shapes import Features, Geometry, Shape, tokens
from lamina.inputs._phrases import WORD, has_words
from lamina.inputs._sequence import NOTHING, SequenceInput, forgotten, numbers_of, ranked
from lamina.inputs.contract import InputLayer

Unit = Literal["words", "subwords", "characters", "bytes"]

ALPHABET = 200
"""Different characters up to which texts without spaces are read by them: DNA and formulas have some tens."""
RARE, ENOUGH = 0.1, 200_000
"""Words of a text, as a share, that no other training row holds, and characters of all texts, from which on sub-words
are taken: languages that build long words have many of the former, and it takes the latter to learn their parts."""
FEWEST, EACH = 1_000, 400
"""Sub-words at least, and characters of training text that one more is worth."""


@dataclass(frozen=True, kw_only=True)
class TokensInput(SequenceInput):
    """One column of texts, each a sequence of tokens of any length.

    For hidden layers that read in order (rnn, gru, lstm, textconv, transformer, bert); layers for vectors get the
    average of the tokens, as in Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification".
    """

    kind: ClassVar[str] = "tokens"

    unit: Unit | Literal["auto"] = "auto"
    """What a token is; `auto` takes words, sub-words where words are mostly rare ones, characters where there are
    neither spaces nor many different characters."""
    vocabulary: str | None = None
    """The folder of a published encoder whose tokens are taken over as they are, in place of a unit; for `bert`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.vocabulary is not None and self.unit != "auto":
            raise PlanError(f"unit: {self.unit} does not do beside a published vocabulary, which says what a token is.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """What a token is and why, and the known ones.

        Raises:
            DataError: if no text holds a token that is met often enough.
            PlanError: if a published vocabulary cannot be read.
        """
        texts = [text for chunk in chunks for text in self._texts(chunk)]
        size = sum(map(len, texts))
        if self.vocabulary is not None:
            if not size:
                raise self._nothing("text")
            return {**PublishedTokens.read(self.vocabulary).facts(), "why": f"the tokens of {self.vocabulary}"}
        words: Counter[str] = Counter()
        if self.unit in ("auto", "words"):
            for text in texts:
                words.update(set(WORD.findall(text)))
        unit, why = (self.unit, "") if self.unit != "auto" else _unit(texts, words, size)
        if unit in ("subwords", "characters"):
            most = min(self.most, max(FEWEST, size // EACH)) if unit == "subwords" else self.most
            facts = Vocabulary.learn(texts, unit, max(most, FIRST + 256)).facts()
        else:
            facts = {"unit": unit, "known": ranked(words, self.least)[: self.most] if unit == "words" else []}
        if not size or (unit in ("words", "characters") and not facts["known"]):
            raise self._nothing(f"{unit[:-1]} that stands in {self.least} training rows")
        return {**facts, "why": why}

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """For each row the numbers of its tokens in their order, int32; one `NOTHING` for an empty text or a gap."""
        read = _reader(facts)
        rows = [np.asarray(read(text), np.int32) for text in self._texts(chunk)]
        rows = [row if len(row) else np.array([NOTHING], np.int32) for row in rows]
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return Block(np.concatenate([*rows, np.empty(0, np.int32)]), offsets)

    def depends_on(self, facts: Facts) -> object:
        """What a token is, and which are known; their vectors are learned."""
        return [self.kind, list(self.columns), self.fold, {name: facts[name] for name in facts if name != "why"}]

    def build(self, facts: Facts) -> "TokensLayer":
        """The layer, with a vector for each known token."""
        return TokensLayer(self, _count(facts), str(facts["why"]))

    def _texts(self, chunk: Chunk) -> Iterator[str]:
        folds = self.fold and self.vocabulary is None  # published tokens know themselves what capital letters mean
        for text in chunk.frame[self.columns[0]].cast(pl.String).fill_null(""):
            yield text.lower() if folds else text


def _unit(texts: Sequence[str], words: Counter[str], size: int) -> tuple[Unit, str]:
    """What a token is in these texts, and why."""
    parted = [len(text.split()) for text in texts]
    if not has_words(sum(map(bool, parted)), sum(parted), size):
        alphabet = len(set[str]().union(*texts))
        if alphabet <= ALPHABET:
            return "characters", f"reads characters: no spaces part words, and there are {alphabet} different ones"
        return "subwords", f"reads sub-words: no spaces part words, and there are {alphabet:,} different characters"
    rare = sum(count == 1 for count in words.values()) / max(sum(words.values()), 1)
    said = f"{rare:.0%} of the words of a text stand in no other"
    if rare > RARE and size >= ENOUGH:
        return "subwords", f"reads sub-words: {said}"
    return "words", f"reads words: {said}" + (", but the texts are too few to learn sub-words" if rare > RARE else "")


def _reader(facts: Facts) -> Callable[[str], Sequence[int] | np.ndarray]:
    """What turns a text into numbers."""
    if facts["unit"] == "published":
        return PublishedTokens.of(facts).numbers
    if facts["unit"] == "bytes":
        return lambda text: [FIRST + byte for byte in text.encode()]
    if facts["unit"] != "words":
        return Vocabulary.of(facts).numbers
    places = numbers_of(facts["known"])
    return lambda text: [places.get(word, UNKNOWN) for word in WORD.findall(text)]


def _count(facts: Facts) -> int:
    """How many different numbers there are."""
    if facts["unit"] == "published":
        return PublishedTokens.of(facts).size
    if facts["unit"] in ("subwords", "characters"):
        return Vocabulary.of(facts).size
    known: Any = facts["known"]
    return FIRST + (256 if facts["unit"] == "bytes" else len(known))


class TokensLayer(InputLayer):
    """Ragged token numbers -> (batch, longest, width) with lengths."""

    def __init__(self, plan: TokensInput, count: int, why: str = ""):
        """A vector for each of `count` numbers; `why` says what a token is."""
        super().__init__()
        self.vectors = nn.Embedding(count, plan.width)
        self.forget = plan.forget
        self.note = why
        self._published = plan.vocabulary is not None
        self.shape = Shape("tokens", plan.width)
        nn.init.normal_(self.vectors.weight, std=plan.width**-0.5)

    def forward(self, values: Values) -> Features:
        assert isinstance(values, Ragged)
        looked_up = Ragged(self.vectors(values.values), values.offsets)
        return tokens(looked_up.padded(), values.lengths)

    def take_vectors(self, vectors: Tensor, learns: bool) -> bool:
        """As the contract says; what stands for nothing and for the unknown is the average of all."""
        count, width = self.vectors.weight.shape
        if not self._published:
            return False
        if vectors.shape[1] != width or len(vectors) < count - FIRST:
            raise PlanError(
                f"The weights hold vectors of {len(vectors):,} tokens in {vectors.shape[1]} numbers, but the "
                f"vocabulary has {count - FIRST:,} tokens and the input a width of {width}: take all from one folder."
            )
        with torch.no_grad():
            self.vectors.weight[FIRST:] = vectors[: count - FIRST]
            self.vectors.weight[:FIRST] = self.vectors.weight[FIRST:].mean(0)
        self.vectors.requires_grad_(learns)
        return True

    def augment(self, values: Values, generator: torch.Generator, place: Place = WHOLE) -> tuple[Values, Geometry]:
        """Some tokens taken for unknown ones, so that no word is all there is."""
        assert isinstance(values, Ragged)
        if not self.forget:
            return values, {}
        return values._replace(values=forgotten(values.values, values, self.forget, generator, place)), {}
