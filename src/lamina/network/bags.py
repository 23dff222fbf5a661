"""What differs from a table where there are texts alone: nearly every row says something new.

A bag of phrases is the fast first candidate. Words that are read in their order, beside it, are the second; which is
kept is decided on rows that neither learned from (`search.candidates`).
"""

from typing import Any

EPOCHS = 6
"""How often texts are read to tell classes apart: more learn them by heart (docs/lab-notes.md, Texts)."""
_FILTERS = {"small": 50, "medium": 100, "large": 200}
"""Of each length of phrase, by the size dial."""
_CARRIED = {"small": 64, "medium": 128, "large": 256}
"""Numbers that each direction of a recurrent layer carries on, by the size dial."""


def bag_of_texts(size: str) -> dict[str, Any]:
    """Settings of a text where there is nothing else: what stands in a single row counts, too."""
    return {"width": {"small": 32, "medium": 64, "large": 128}[size], "letters": (2, 5), "least": 1}


def bag_training(reasons: dict[str, str]) -> dict[str, Any]:
    """What is learned otherwise than with a table."""
    reasons["training.epochs"] = "a bag of phrases is learned in a few epochs; more learn it by heart"
    reasons["training.schedule"] = "one fall: what a text says is learned in the first epochs"
    return {"epochs": EPOCHS, "schedule": "cosine", "muon_rate": 0.005}


def read_in_order(values: dict[str, Any], size: str, reasons: dict[str, str]) -> None:
    """Let the words of the only input, a text, be read in their order as well, in two ways.

    Each of the three has an answer of its own: ways that err in different places are better averaged than joined.
    """
    ((name, bag),) = values["inputs"].items()
    for ending, reader in (("in_order", _phrases(size)), ("in_turn", _in_turn(size))):
        words, trunk = f"{name}_{ending}", f"{name}_{ending}_read"
        # Letters tell of an unknown word what can be told, so that none needs to be made unknown in training.
        values["inputs"][words] = {
            "kind": "words", "columns": bag["columns"], "marks": True, "forget": 0.0, "trunk": trunk,
        }  # fmt: skip
        values["trunks"][trunk] = reader
        reasons[f"inputs.{words}"] = "words by themselves and by their letters, so that a new word is no blank"
    reasons[f"trunks.{name}_in_order_read"] = "phrases of up to four words, wherever they stand"
    reasons[f"trunks.{name}_in_turn_read"] = "word after word, from both ends, whatever lies between two that count"
    values["hidden"] = {"name": "apart"}
    values["training"] |= {"learning_rate": 0.01, "muon_rate": 0.03, "weight_decay": 0.01, "batch_size": 64}
    reasons["hidden"] = "the bag and both readers of words in their order answer for themselves, and are averaged"
    reasons["training.batch_size"] = "few texts a step: each has many words, and each word is learned from"


def _phrases(size: str) -> dict[str, Any]:
    return {"name": "textconv", "windows": (1, 2, 3, 4), "width": _FILTERS[size]}


def _in_turn(size: str) -> dict[str, Any]:
    return {"name": "gru", "width": _CARRIED[size]}
