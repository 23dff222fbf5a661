"""Golden answers: a few inputs with the raw scores they had when the run was written."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lamina.data import Batch, Ragged, Values
from lamina.ground import RunError, write_json
from lamina.run.trained import Trained

TOLERANCE = 2e-3
"""How far raw scores may be from the golden ones, relative to the largest: processors add in differing orders."""


def write_golden(path: Path, trained: Trained, batch: Batch) -> None:
    """Write the inputs of a small batch and its raw scores in float32."""
    inputs = {name: _pack(values) for name, values in batch.inputs.items()}
    answers = {name: _pack_array(raw) for name, raw in _raw(trained, dict(batch.inputs)).items()}
    write_json(path, {"tolerance": TOLERANCE, "inputs": inputs, "answers": answers})


def check_golden(path: Path, trained: Trained) -> None:
    """Answer the golden inputs again and compare.

    Raises:
        RunError: if the network answers otherwise than when the run was written.
    """
    golden = json.loads(path.read_text("utf-8"))
    inputs = {name: _unpack(values) for name, values in golden["inputs"].items()}
    for name, raw in _raw(trained, inputs).items():
        expected = _unpack_array(golden["answers"][name])
        away = float(np.abs(raw - expected).max(initial=0))
        if not away <= golden["tolerance"] * max(1.0, float(np.abs(expected).max(initial=0))):
            raise RunError(
                f"{path.parent}: the network answers otherwise than when it was written "
                f"(output {name!r} is off by {away:.3g}). It was changed, or this version computes differently."
            )


@torch.no_grad()
def _raw(trained: Trained, inputs: dict[str, Values]) -> dict[str, np.ndarray]:
    network = trained.network.eval()
    moved: dict[str, Values] = {
        name: Ragged(*(part.to(trained.device) for part in values)) if isinstance(values, Ragged)
        else values.to(trained.device)
        for name, values in inputs.items()
    }  # fmt: skip
    return {name: raw.float().cpu().numpy() for name, raw in network(moved).items()}


def _pack(values: Values) -> dict[str, Any]:
    if isinstance(values, Ragged):
        return {"values": _pack_array(values.values.numpy()), "offsets": _pack_array(values.offsets.numpy())}
    return {"values": _pack_array(values.numpy())}


def _unpack(packed: dict[str, Any]) -> Values:
    values = torch.from_numpy(_unpack_array(packed["values"]))
    return Ragged(values, torch.from_numpy(_unpack_array(packed["offsets"]))) if "offsets" in packed else values


def _pack_array(array: np.ndarray) -> dict[str, Any]:
    data = base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 6)).decode()
    return {"dtype": str(array.dtype), "shape": list(array.shape), "zlib": data}


def _unpack_array(packed: dict[str, Any]) -> np.ndarray:
    raw = zlib.decompress(base64.b64decode(packed["zlib"]))
    return np.frombuffer(raw, dtype=packed["dtype"]).reshape(packed["shape"]).copy()
