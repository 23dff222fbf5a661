"""The simpler way to foresee a text: how often each character followed the last few (interpolated n-grams).

Every length of context answers, the longest by how often each character followed it, shorter ones by behind how many
different characters it did; a part of each count is left to the next shorter one (Kneser and Ney 1995). Contexts are
numbers; their counts lie sorted, so that all places of a text are looked up at once. What was read of the text that is
foreseen is counted as well, for it uses its names and turns again.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from lamina.data import FIRST, UNKNOWN, UNSEEN, Facts, Table, Vocabulary
from lamina.outputs import NextOutput

LONGEST = 8
"""Characters of context at most."""
MOST = 4_000_000
"""Characters of the training rows that are counted at most, the last ones."""
RECENT, BLOCK = 8_192, 1_024
"""Characters of the text that is foreseen that are counted too, the last ones, anew after each block of so many."""
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
"""How much these may count."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class _Counts:
    """What followed contexts of one length."""

    pairs: np.ndarray
    """(pairs,) sorted numbers of context and follower."""
    counts: np.ndarray
    """(pairs,) how often each counts, less its discount."""
    contexts: np.ndarray
    """(contexts,) sorted numbers of contexts."""
    totals: np.ndarray
    """(contexts,) the sum of the counts of what followed."""
    left: np.ndarray
    """(contexts,) what was taken of these counts for shorter contexts."""

    def chance(self, context: np.ndarray, numbers: np.ndarray, shorter: np.ndarray) -> np.ndarray:
        """The chance of each character behind its context, given what shorter contexts say."""
        count = _found(self.pairs, self.counts, _pairs(context, numbers))
        total, left = (_found(self.contexts, values, context) for values in (self.totals, self.left))
        return np.where(total > 0, (count + left * shorter) / np.maximum(total, 1), shorter)


class NGrams:
    """Learned on one text; foresees others, with what it has read of them in mind."""

    def __init__(self, vocabulary: Vocabulary, train: str, valid: str):
        """Count in `train`; take what foresees `valid` best, where that is not empty.

        That is the length of context, 5 otherwise, and how much counts what stands in the text that is foreseen.
        """
        self.vocabulary = vocabulary
        self._levels = _learn(vocabulary.numbers(train), LONGEST)
        self.order, self.share = 5, 0.0
        if valid:
            numbers = vocabulary.numbers(valid)
            chances = self._chances(self._levels, numbers, 0)
            self.order = int(np.argmin([-np.log(each).mean() for each in chances]))
            recent = self._recent(numbers)
            self.share = min(SHARES, key=lambda share: -np.log(_mixed(chances[self.order], recent, share)).mean())
        del self._levels[self.order + 1 :]

    def nats(self, text: str) -> np.ndarray:
        """(characters,) what each costs, with all before it in mind."""
        numbers = self.vocabulary.numbers(text)
        found = self._chances(self._levels, numbers, 0)[-1]
        if self.share:
            found = _mixed(found, self._recent(numbers), self.share)
        return -np.log(found) + UNSEEN * (numbers < FIRST)

    def _recent(self, numbers: np.ndarray) -> np.ndarray:
        """(characters,) the chance of each by counts of those read before it, which are counted a block at a time."""
        found = [np.full(min(BLOCK, len(numbers)), 1 / self._size)]
        for start in range(BLOCK, len(numbers), BLOCK):
            first = max(start - RECENT, 0)
            levels = _learn(numbers[first:start], self.order)
            found.append(self._chances(levels, numbers[first : start + BLOCK], start - first)[-1])
        return np.concatenate(found)

    @property
    def _size(self) -> int:
        """Characters that there may be: the known ones, and one for all others."""
        return self.vocabulary.size - FIRST + 1

    def _chances(self, levels: list["_Level"], numbers: np.ndarray, start: int) -> list[np.ndarray]:
        """The chance of each character from `start` on, by contexts of at most 0, 1, 2 ... characters."""
        shorter = np.full(len(numbers) - start, 1 / self._size)
        chances = []
        for (often, widely), context in zip(levels, _contexts(numbers, len(levels) - 1), strict=True):
            chances.append(often.chance(context[start:], numbers[start:], shorter))
            shorter = widely.chance(context[start:], numbers[start:], shorter)
        return chances


_Level = tuple[_Counts, _Counts]
"""What followed contexts of one length: by how often a pair was met, and behind how many characters."""


def _learn(numbers: np.ndarray, longest: int) -> list[_Level]:
    """Count what followed contexts of 0, 1, 2 ... `longest` characters."""
    contexts = _contexts(numbers, longest)
    found = [np.unique(_pairs(context, numbers), return_index=True, return_counts=True) for context in contexts]
    levels = []
    for context, (pairs, first, counts), (_, longer, _) in zip(contexts, found, [*found[1:], found[-1]], strict=True):
        # Behind how many characters, which the next longer context tells apart.
        wide, again, times = np.unique(_pairs(context[longer], numbers[longer]), return_index=True, return_counts=True)
        levels.append((_counts(pairs, counts, context[first]), _counts(wide, times, context[longer][again])))
    return levels


def _mixed(known: np.ndarray, recent: np.ndarray, share: float) -> np.ndarray:
    return (1 - share) * known + share * recent


def _contexts(numbers: np.ndarray, longest: int) -> list[np.ndarray]:
    """For each place a number for the last 0, 1, 2 ... characters before it; the start of the text is known as such."""
    found = [np.zeros(len(numbers), dtype=np.uint64)]
    padded = np.concatenate([np.zeros(longest, np.int32), numbers]).astype(np.uint64)
    with np.errstate(over="ignore"):
        for back in range(1, longest + 1):
            earlier = padded[longest - back : longest - back + len(numbers)]
            mixed = (found[-1] * _FACTOR + earlier + np.uint64(1)) * _FACTOR
            found.append(mixed ^ (mixed >> np.uint64(29)))
    return found


def _pairs(context: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return (context ^ (context >> np.uint64(31))) * _FACTOR + numbers.astype(np.uint64)


def _counts(pairs: np.ndarray, counts: np.ndarray, context: np.ndarray) -> _Counts:
    """From sorted pairs with their counts and contexts; discounts of 1, 2, 3 and more as by Chen and Goodman 1998."""
    contexts, inverse = np.unique(context, return_inverse=True)
    once, twice, thrice, fourfold = (int((counts == times).sum()) + 1 for times in (1, 2, 3, 4))
    share = once / (once + 2 * twice)
    discounts = np.array([0, 1 - 2 * share * twice / once, 2 - 3 * share * thrice / twice,
                          3 - 4 * share * fourfold / thrice]).clip(0.1, [1, 1, 2, 3])  # fmt: skip
    taken = discounts[np.minimum(counts, 3)]
    totals, left = (np.bincount(inverse, weights=each, minlength=len(contexts)) for each in (counts, taken))
    return _Counts(pairs, counts - taken, contexts, totals, left)


def _found(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The value of each wanted key, 0 where there is none."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0.0)


def fit_ngrams(table: Table, output: NextOutput, facts: Facts, train: np.ndarray, valid: np.ndarray) -> "Foreseen":
    """Learn n-grams of characters from training rows; `valid` decides the length of the context."""
    column = table.frame[output.column]
    vocabulary = Vocabulary.of(facts)
    kept = train[-max(MOST // max(len(joined(column, train[:100])) // min(len(train), 100), 1), 1) :]
    text = joined(column, kept)
    if vocabulary.unit != "characters":
        vocabulary = Vocabulary.learn([text], "characters", len(set(text)))
    return Foreseen(NGrams(vocabulary, text, joined(column, valid)), output.column, len(kept))


@dataclass(frozen=True)
class Foreseen:
    """Scores of rows by n-grams."""

    model: NGrams
    column: str
    rows: int
    """Training rows that were counted."""

    def __call__(self, table: Table, rows: np.ndarray) -> np.ndarray:
        """(rows, 3) nats, tokens and characters, each row with those before it in mind."""
        lengths = table.frame[self.column][rows].str.len_chars().fill_null(0).to_numpy().astype(np.int64)
        nats = self.model.nats(joined(table.frame[self.column], rows))
        row = np.arange(len(rows)).repeat(lengths)
        return np.stack([np.bincount(row, nats, len(rows)), lengths, lengths], axis=1)


class UsualTokens:
    """Scores of rows by how often each token stands in the training rows, whatever is before it."""

    def __init__(self, output: NextOutput, facts: Facts):
        """Shares from the counts of the facts; an unknown token counts as met half a time more."""
        self.output, self.facts, self.vocabulary = output, facts, Vocabulary.of(facts)
        counts = np.array(facts["counts"], dtype=np.float64)
        counts[[UNKNOWN, *range(FIRST, len(counts))]] += 0.5
        self.costs = -np.log(counts / counts.sum() + 1e-300)
        self.costs[UNKNOWN] += UNSEEN

    def __call__(self, table: Table, rows: np.ndarray) -> np.ndarray:
        """(rows, 3) nats, tokens and characters."""
        found = np.zeros((len(rows), 3))
        start = 0
        for chunk in table.chunks(rows, [self.output.column]):
            block = self.output.prepare(chunk, self.facts)
            assert block.offsets is not None
            lengths = np.diff(block.offsets)
            row = start + np.arange(len(block)).repeat(lengths)
            each = (self.costs[block.values], np.ones(len(row)), self.vocabulary.characters[block.values])
            for place, values in enumerate(each):
                found[:, place] += np.bincount(row, values, len(rows))
            start += len(block)
        return found


def joined(column: pl.Series, rows: np.ndarray) -> str:
    """The text of some rows, end to end."""
    return "".join(column[rows].fill_null("").to_list())
