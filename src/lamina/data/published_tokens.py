"""The tokens of a published text encoder, read from its folder and kept by the run, which then needs no folder."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from lamina.data.vocabulary import FIRST
from lamina.ground.errors import PlanError, RunError
from lamina.ground.lazy import LazyModule
from lamina.ground.model_folder import ModelFolder

tokenizers = LazyModule("tokenizers")

_LARGEST = 64 * 2**20
"""Bytes of the largest file of tokens that is read."""


class PublishedTokens:
    """Texts as the numbers that a published encoder learned with, cut into windows that it can read at once."""

    def __init__(self, tokens: str, ends: tuple[int, int], window: int):
        """From what `facts` holds.

        Args:
            tokens: as the package tokenizers writes them.
            ends: what stands in front of and behind each window.
            window: tokens of a window, its ends among them.
        """
        self._written, self.ends, self.window = tokens, ends, window
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_str(tokens)
        except Exception as error:  # of no narrower kind: the library is written in Rust
            raise RunError(f"The published tokens cannot be read ({error}): the run is damaged.") from error
        self.size = FIRST + 1 + max(self._tokenizer.get_vocab().values(), default=-1)
        """How many numbers there are, those for nothing and for the unknown among them."""

    @classmethod
    def read(cls, folder: str) -> "PublishedTokens":
        """The tokens of a folder.

        Raises:
            PlanError: if the folder lacks them, or they are damaged.
        """
        model = ModelFolder.read(folder)
        path = model.file("tokenizer.json", "vocab.txt")
        if path.stat().st_size > _LARGEST:
            raise PlanError(f"{path} has {path.stat().st_size:,} bytes; at most {_LARGEST:,} are read.")
        try:
            found = tokenizers.Tokenizer.from_file(str(path)) if path.suffix == ".json" else _word_pieces(path)
            found.no_truncation()
            found.no_padding()
            ends = found.encode("").ids
        except Exception as error:  # of no narrower kind
            raise PlanError(f"{path} cannot be read: {error}.") from error
        if len(ends) != 2:
            raise PlanError(f"{path} puts {len(ends)} tokens around a text, where one in front and one behind belong.")
        return cls(found.to_str(), (ends[0], ends[1]), model.window)

    @classmethod
    def of(cls, facts: dict[str, object]) -> "PublishedTokens":
        """The tokens that `facts` wrote down."""
        return cls(facts["tokens"], tuple(facts["ends"]), facts["window"])  # type: ignore[arg-type]

    def facts(self) -> dict[str, object]:
        """Plain values."""
        return {"unit": "published", "tokens": self._written, "ends": list(self.ends), "window": self.window}

    def numbers(self, text: str) -> np.ndarray:
        """(tokens,) int32: the windows of a text end to end, each but the last full, each between its ends."""
        ids, room = self._tokenizer.encode(text, add_special_tokens=False).ids, self.window - 2
        windows = [ids[start : start + room] for start in range(0, max(len(ids), 1), room)]
        first, last = self.ends
        return np.array([each for some in windows for each in (first, *some, last)], np.int32) + np.int32(FIRST)


def _word_pieces(path: Path) -> Any:
    """BERT's tokens from its list of them, as its own settings beside it say."""
    beside = path.parent / "tokenizer_config.json"
    settings = json.loads(beside.read_text("utf-8")) if beside.is_file() else {}
    return tokenizers.BertWordPieceTokenizer(str(path), lowercase=bool(settings.get("do_lower_case", True)),
                                             strip_accents=settings.get("strip_accents"))  # fmt: skip
