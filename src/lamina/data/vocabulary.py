"""What text is made of: characters, or sub-words, learned from training rows; and the numbers for them.

An input that reads a text and an output that writes it learn the same vocabulary from the same rows, so that their
numbers agree.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import polars as pl

from lamina.data.batch import Block, Chunk
from lamina.ground.errors import RunError
from lamina.ground.lazy import LazyModule

tokenizers = LazyModule("tokenizers")

Unit = Literal["characters", "subwords"]

START, UNKNOWN, END, FIRST = 0, 1, 2, 3
"""What stands before a text, for what was not met in training, and behind a text; the first true token."""
CODE_POINTS = 1_112_064
"""Characters that Unicode has room for: an unseen one is taken to be any of them."""
UNSEEN = math.log(CODE_POINTS)
"""Nats that tell which character an unseen one is."""


class Vocabulary:
    """The tokens of a text, by number.

    Characters are known when they stood in a training row, any other is `UNKNOWN`. Sub-words are found by byte-pair
    encoding (Sennrich et al. 2016) over bytes, so that every text can be written with them.
    """

    def __init__(self, unit: Unit, known: Sequence[str] = (), subwords: str = ""):
        """From what `facts` holds: the known characters in order, or the sub-words as `tokenizers` writes them."""
        self.unit, self.known, self.subwords = unit, list(known), subwords
        self._points = np.array([ord(character) for character in self.known], dtype=np.uint32)

    @classmethod
    def learn(cls, texts: Iterable[str], unit: Unit, most: int) -> "Vocabulary":
        """The vocabulary of some texts: their characters, or at most about `most` sub-words."""
        if unit == "characters":
            counts: Counter[str] = Counter()
            for text in texts:
                counts.update(text)
            often = sorted(counts, key=lambda character: (-counts[character], character))[:most]
            return cls(unit, sorted(often))
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = tokenizers.decoders.ByteLevel()
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=most - FIRST, show_progress=False,
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        )  # fmt: skip
        tokenizer.train_from_iterator(texts, trainer)
        return cls(unit, subwords=tokenizer.to_str())

    @classmethod
    def of(cls, facts: dict[str, object]) -> "Vocabulary":
        """The vocabulary that `facts` wrote down."""
        return cls(facts["unit"], facts["known"], facts["subwords"])  # type: ignore[arg-type]

    def facts(self) -> dict[str, object]:
        """Plain values."""
        return {"unit": self.unit, "known": self.known, "subwords": self.subwords}

    @cached_property
    def _tokenizer(self) -> Any:
        try:
            return tokenizers.Tokenizer.from_str(self.subwords)
        except Exception as error:  # of no narrower kind: the library is written in Rust
            raise RunError(
                f"The sub-words that a part learned cannot be read ({error}): the run is damaged."
            ) from error

    @cached_property
    def size(self) -> int:
        """How many numbers there are."""
        return FIRST + len(self.known) if self.unit == "characters" else FIRST + self._tokenizer.get_vocab_size()

    @cached_property
    def characters(self) -> np.ndarray:
        """(size,) int64 characters that each token stands for; a piece of a character counts with its first byte."""
        if self.unit == "characters":
            return np.array([0, 1, 0] + [1] * len(self.known))
        named = [self._tokenizer.id_to_token(number) or "" for number in range(self.size - FIRST)]
        return np.array([0, 1, 0] + [_first_bytes(name) for name in named])

    def numbers(self, text: str) -> np.ndarray:
        """(tokens,) int32 the tokens of a text, by number."""
        if self.unit == "subwords":
            return np.array(self._tokenizer.encode(text).ids, dtype=np.int32) + np.int32(FIRST)
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        places = np.searchsorted(self._points, points)
        found = self._points[np.minimum(places, len(self._points) - 1)] == points
        return np.where(found, FIRST + places, UNKNOWN).astype(np.int32)

    def text(self, numbers: Iterable[int]) -> str:
        """The text that tokens stand for; U+FFFD for an unknown character, nothing for start and end."""
        kept = [int(number) for number in numbers if number not in (START, END)]
        if self.unit == "subwords":
            return str(self._tokenizer.decode([number - FIRST for number in kept if number >= FIRST]))
        return "".join("\ufffd" if number == UNKNOWN else self.known[number - FIRST] for number in kept)


def texts_of(chunk: Chunk, column: str) -> Iterator[str]:
    """The texts of a column, a gap as an empty one."""
    yield from chunk.frame[column].cast(pl.String).fill_null("")


def numbered(chunk: Chunk, column: str, vocabulary: Vocabulary) -> Block:
    """The tokens of each row by number, int32."""
    rows = [vocabulary.numbers(text) for text in texts_of(chunk, column)]
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    return Block(np.concatenate([*rows, np.empty(0, np.int32)]), offsets)


def _first_bytes(piece: str) -> int:
    """Characters that begin in a piece, which is written with a letter for each byte."""
    begins = _begins()
    return sum(begins[letter] for letter in piece)


def _begins() -> dict[str, bool]:
    """By the letter that stands for a byte, whether a character of UTF-8 begins with it."""
    if not _BEGINS:
        plain = [*range(33, 127), *range(161, 173), *range(174, 256)]  # as GPT-2 wrote bytes as letters
        others = [byte for byte in range(256) if byte not in plain]
        letters = {chr(byte): byte for byte in plain} | {chr(256 + at): byte for at, byte in enumerate(others)}
        _BEGINS.update({letter: byte & 0xC0 != 0x80 for letter, byte in letters.items()})
    return _BEGINS


_BEGINS: dict[str, bool] = {}
