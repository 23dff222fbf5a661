"""What a text is made of, whatever the order: its words, phrases and parts of words, or runs of symbols, as numbers."""

import re
import zlib
from functools import lru_cache

import numpy as np

BUCKETS = 1 << 21
"""Phrases are counted by hash: bounded memory, and two frequent ones hardly ever share a bucket."""
WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")
"""A word with its apostrophes, or a mark of punctuation."""
LONG_WORDS, FEW_SPACES = 30, 1.05
"""Characters between two spaces above which, and words a text under which, on average, texts have no words."""
_KNOWN = 1 << 17
"""Words whose parts are kept at hand."""


def bucket(phrase: str) -> int:
    """The number of a phrase: the same on every machine, which `hash` is not."""
    return zlib.crc32(phrase.encode()) % BUCKETS


def has_words(texts: int, words: int, characters: int) -> bool:
    """Whether spaces part words in these texts; otherwise they are sequences of symbols: DNA, formulas, Chinese.

    Args:
        texts: how many there are, apart from empty ones.
        words: parts between spaces in all of them.
        characters: in all of them.
    """
    return characters <= LONG_WORDS * words and words >= FEW_SPACES * texts


def phrases(text: str, longest: int) -> list[int]:
    """Numbers below `BUCKETS` of all words and of phrases of up to `longest` words; small letters are capital ones."""
    words = WORD.findall(text.lower())
    found = [bucket(word) for word in words]
    for length in range(2, longest + 1):
        starts = range(len(words) - length + 1)
        found += [bucket(" ".join(words[start : start + length])) for start in starts]
    return found


def word_parts(text: str, shortest: int, longest: int) -> np.ndarray:
    """Numbers from `BUCKETS` on of the parts of all words, `shortest` to `longest` letters; their ends count as one."""
    parts = [_parts(word, shortest, longest) for word in set(text.lower().split())]
    return np.concatenate([*parts, np.empty(0, np.int64)])


@lru_cache(_KNOWN)
def _parts(word: str, shortest: int, longest: int) -> np.ndarray:
    return runs(f"\x02{word}\x03", shortest, longest)


def runs(text: str, shortest: int, longest: int) -> np.ndarray:
    """Numbers from `BUCKETS` on of all runs of `shortest` to `longest` characters."""
    found = {
        text[start : start + length]
        for length in range(shortest, longest + 1)
        for start in range(len(text) - length + 1)
    }
    return np.array([BUCKETS + bucket(run) for run in found], dtype=np.int64)


def placed_runs(text: str, shortest: int, longest: int, block: int) -> np.ndarray:
    """Numbers below `BUCKETS` of all runs of `shortest` to `longest` characters with their place, in blocks."""
    found = {
        f"{start // block} {text[start : start + length]}"
        for length in range(shortest, longest + 1)
        for start in range(len(text) - length + 1)
    }
    return np.array([bucket(run) for run in found], dtype=np.int64)
