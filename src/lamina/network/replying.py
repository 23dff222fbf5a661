"""The plan for answers that are looked up: a bag of what is asked, and the known answers in one space with it."""

from typing import Any

from lamina.network.bags import bag_of_texts, bag_training
from lamina.network.size import residual_size

EPOCHS = 20
"""How often pairs are read: answers are many and each is met seldom (docs/lab-notes.md, Text as the answer)."""


def replying(source: str, target: str, names: tuple[str, str], size: str, rows: int, why: str,
             reasons: dict[str, str]) -> dict[str, Any]:  # fmt: skip
    """Inputs, hidden layers, outputs and training for an answer that is looked up among the known ones.

    Args:
        source: the column that is asked.
        target: the column of answers.
        names: of the input and the output.
        size: the dial.
        rows: to learn from and to choose by.
        why: the reason to look answers up.
        reasons: filled in, by path.
    """
    asked, answered = names
    reasons[f"inputs.{asked}"] = "words, pairs and parts of words, whatever their order: the fast first choice"
    reasons[f"outputs.{answered}.kind"] = why
    training = bag_training(reasons)
    reasons["training.epochs"] = "many answers, each in few rows: they are met more often than classes are"
    return {
        "inputs": {asked: {"kind": "text", "columns": [source]} | bag_of_texts(size)},
        "trunks": {},
        "hidden": residual_size(size, rows),
        "outputs": {answered: {"kind": "reply", "column": target, "question": source}},
        "training": training | {
            "optimizer": "muon", "learning_rate": 0.007, "weight_decay": 0.1, "average": 0.0,
            "batch_size": 64 if rows >= 1_000 else 16, "epochs": EPOCHS,
        },
    }  # fmt: skip
