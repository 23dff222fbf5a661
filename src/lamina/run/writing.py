"""What a network that foresees text is asked: to go on, and which words are likely next."""

import heapq
import math
from collections.abc import Iterator

import numpy as np
import torch

from lamina.data import Table
from lamina.ground import DataError, numpy_generator
from lamina.network import Reader, on_one_thread
from lamina.outputs import Sampling, write
from lamina.run.trained import Trained

_BEAMS, _LONGEST = 64, 30
"""Beginnings of words that are followed side by side, and tokens of a word at most."""
_SAMPLES, _PROMPT, _WRITTEN = 3, 80, 240
"""Samples in the report: how many, and characters of each that are given and written."""


class Writing:
    """A network that goes on with a text."""

    def __init__(self, trained: Trained):
        """From a run whose output is of kind `next`.

        Raises:
            DataError: if it answers something else.
        """
        if not trained.network.reads_on:
            kinds = ", ".join(part.kind for part in trained.plan.outputs.values())
            raise DataError(f"This run answers with {kinds}; only one that was trained on running text goes on with a "
                            "prompt. Give it rows: lamina predict RUN DATA.")  # fmt: skip
        self._reader = Reader(trained.network)
        self.vocabulary = self._reader.vocabulary
        self._possible: torch.Tensor = self._reader.output.possible
        self._closed = torch.zeros(len(self._possible), device=self._possible.device)
        self._closed[~self._possible] = -math.inf

    def unseen(self, prompt: str) -> str:
        """The characters of a prompt that no training row held, each once: they are read as unknown ones."""
        if self.vocabulary.unit != "characters":
            return ""
        return "".join(dict.fromkeys(character for character in prompt if character not in self.vocabulary.known))

    def _read(self, prompt: str) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        numbers = torch.from_numpy(self.vocabulary.numbers(prompt)).to(self._reader.device)
        scores, state = self._reader.start(numbers[None])
        return self._known(scores), state

    def _known(self, scores: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of what can be written."""
        return (scores + self._closed).log_softmax(-1)

    def go_on(self, prompt: str, length: int, sampling: Sampling, seed: int) -> Iterator[str]:
        """What follows a prompt, piece by piece as it is written, `length` characters in all.

        All of the prompt is read, however long; the state, or the window of a transformer, decides what is remembered.
        """
        scores, state = self._read(prompt)
        pen, closed = self._reader.pen(state), self._closed.cpu().numpy()
        left, held, first = length, list[int](), scores[0].cpu().numpy()
        with on_one_thread():
            for token in write(first, lambda token: pen(token) + closed, sampling, numpy_generator(seed, "writing")):
                held.append(token)
                text = self.vocabulary.text(held)
                if text.endswith("\ufffd") and len(held) < 8:  # a piece of a character: the rest follows
                    continue
                yield text[:left]
                left, held = left - len(text), []
                if left <= 0:
                    return

    def likely_tokens(self, prompt: str, count: int) -> list[tuple[str, float]]:
        """The likeliest next tokens, each with its probability."""
        scores, _ = self._read(prompt)
        chances, numbers = scores[0].exp().topk(min(count, int(self._possible.sum())))
        return [(self.vocabulary.text([number]), chance)
                for number, chance in zip(numbers.tolist(), chances.tolist(), strict=True)]  # fmt: skip

    def likely_words(self, prompt: str, count: int) -> list[tuple[str, float]]:
        """The likeliest next words, each with its probability; a word begun in the prompt is brought to its end.

        Beginnings of words are followed from the likeliest on; a word is one when something else than a letter
        follows. Search stops when no beginning is likelier than the words that were found.
        """
        scores, state = self._read(prompt)
        begun = prompt[len(prompt) - next((at for at, letter in enumerate(reversed(prompt)) if not _of_word(letter)),
                                          len(prompt)) :]  # fmt: skip
        beams: list[tuple[float, str, tuple[int, ...]]] = [(0.0, "", ())]
        words: dict[str, float] = {}
        for _ in range(_LONGEST):
            grown = []
            for row, (so_far, text, numbers) in enumerate(beams):
                ends = 0.0
                for number, score in self._likely(scores[row]):
                    piece = self.vocabulary.text([number])
                    if not text and not begun:
                        piece = piece.lstrip(" ") if piece.strip(" ") else ""
                    inside = bool(piece) and all(map(_of_word, piece))
                    if inside or (not text and not begun and not piece):
                        grown.append((so_far + score, text + piece, (*numbers, number)))
                    elif text or begun:
                        ends += math.exp(score)
                if ends > 0:
                    words[text] = words.get(text, 0.0) + math.exp(so_far) * ends
            least = sorted(words.values(), reverse=True)[count - 1] if len(words) >= count else 0.0
            kept = [beam for beam in heapq.nlargest(_BEAMS, grown) if math.exp(beam[0]) > least]
            if not kept:
                break
            beams = kept
            # Beams are read anew from the prompt's state: a word is short, and a state to reorder is not needed.
            longest = max(len(numbers) for _, _, numbers in beams)
            assert all(len(numbers) == longest for _, _, numbers in beams)
            tokens = torch.tensor([numbers for _, _, numbers in beams], device=scores.device)
            found, _ = self._reader.follow(tuple(each.expand(len(beams), *each.shape[1:]) for each in state), tokens)
            scores = self._known(found[:, -1])
        best = heapq.nlargest(count, words.items(), key=lambda pair: pair[1])
        return [(begun + word, chance) for word, chance in best]

    def _likely(self, scores: torch.Tensor) -> list[tuple[int, float]]:
        """Tokens that are not too unlikely to matter, with their log-probabilities."""
        top = scores.topk(min(_BEAMS, len(scores)))
        return [(number, score) for number, score in zip(top.indices.tolist(), top.values.tolist(), strict=True)
                if score > -12]  # fmt: skip


def samples(trained: Trained, table: Table, rows: np.ndarray) -> list[dict[str, str]]:
    """How the network goes on with the beginnings of a few rows, for the report: `prompt` and `text`."""
    writing, (part,) = Writing(trained), trained.plan.outputs.values()
    some = rows[np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLES)).astype(int)]
    prompts = [str(text)[:_PROMPT] for text in table.frame[part.column][some]]
    return [
        {"prompt": prompt, "text": "".join(writing.go_on(prompt, _WRITTEN, Sampling(), number))}
        for number, prompt in enumerate(prompts)
    ]


def _of_word(character: str) -> bool:
    return character.isalnum() or character in "'\u2019-"
