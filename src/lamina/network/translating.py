"""The plan for answers in words: an encoder that reads one text, a decoder that writes another."""

from typing import Any

WIDTHS = {"small": 128, "medium": 192, "large": 384}
"""Numbers of a token between the blocks, by the size dial (docs/lab-notes.md)."""
_PIECES = 4_000
_FEW = 5_000


def translating(source: str, target: str, names: tuple[str, str], size: str, rows: int, why: str,
                reasons: dict[str, str]) -> dict[str, Any]:  # fmt: skip
    """Inputs, hidden layers, outputs and training for an answer that is text.

    Args:
        source: the column that is read.
        target: the column that is written.
        names: of the input and the output.
        size: the dial.
        rows: to learn from and to choose by.
        why: the reason to write answers.
        reasons: filled in, by path.
    """
    width, pieces = WIDTHS[size], _PIECES if rows >= _FEW else 1_000
    given, written = names
    reasons[f"inputs.{given}.unit"] = "sub-words: a word that was never met is read by its pieces"
    reasons["hidden"] = "every word looks at every other one before the answer is written"
    reasons[f"outputs.{written}.kind"] = why
    reasons["training.optimizer"] = "muon turns the matrices of the encoder, adamw moves the rest"
    return {
        "inputs": {given: {"kind": "before", "columns": [source], "unit": "subwords", "most": pieces, "width": width}},
        "trunks": {},
        "hidden": {"name": "transformer", "width": width, "num_layers": 3, "heads": 4, "dropout": 0.1},
        "outputs": {written: {"kind": "text", "column": target, "most": pieces, "width": width}},
        "training": {
            "optimizer": "muon", "learning_rate": 0.002, "muon_rate": 0.02, "weight_decay": 0.01, "warmup": 0.05,
            "average": 0.0, "batch_size": 64 if rows >= _FEW else 16, "epochs": 40,
        },
    }  # fmt: skip
