"""Golden answers: a few inputs with the raw scores they had when the run was written."""

import base64
import json
import math
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

_LARGEST = 64 << 20
"""Bytes of one array of golden inputs or answers."""


def write_golden(path: Path, trained: Trained, batch: Batch) -> None:
    """Write the inputs of a small batch and its raw scores in float32."""
    inputs = {name: _pack(values) for name, values in batch.inputs.items()}
    # What is written may turn at a hair's breadth on another processor; what the true answer costs does not.
    known = dict(batch.targets) if trained.network.judged_by_targets else {}
    targets = {name: _pack(values) for name, values in known.items()}
    answers = {name: _pack_array(raw) for name, raw in _raw(trained, dict(batch.inputs), known).items()}
    write_json(path, {"tolerance": TOLERANCE, "inputs": inputs, "targets": targets, "answers": answers})


def check_golden(path: Path, trained: Trained) -> None:
    """Answer the golden inputs again and compare.

    Raises:
        RunError: if the network answers otherwise than when the run was written.
    """
    try:
        golden = json.loads(path.read_text("utf-8"))
        inputs = {name: _unpack(values) for name, values in golden["inputs"].items()}
        answers = {name: _unpack_array(golden["answers"][name]) for name in trained.network.outputs}
        targets = {name: _unpack(values) for name, values in golden.get("targets", {}).items()}
        found = _raw(trained, inputs, targets)
        away = {name: float(np.abs(found[name] - expected).max(initial=0)) for name, expected in answers.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, RecursionError,
            zlib.error) as error:  # fmt: skip
        raise RunError(
            f"{path} holds no inputs and answers of this network ({error}): the run is damaged. "
            "Copy it anew, or train it again with --fresh."
        ) from error
    for name, expected in answers.items():
        if not away[name] <= TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0))):
            raise RunError(
                f"{path.parent}: the network answers otherwise than when it was written "
                f"(output {name!r} is off by {away[name]:.3g}). It was changed, or this version computes differently."
            )


@torch.no_grad()
def _raw(trained: Trained, inputs: dict[str, Values], targets: dict[str, Values]) -> dict[str, np.ndarray]:
    network = trained.network.eval()
    moved, known = _moved(inputs, trained.device), _moved(targets, trained.device)
    return {name: raw.float().cpu().numpy() for name, raw in network(moved, known or None).items()}


def _moved(values: dict[str, Values], device: torch.device) -> dict[str, Values]:
    return {
        name: Ragged(*(part.to(device) for part in each)) if isinstance(each, Ragged) else each.to(device)
        for name, each in values.items()
    }


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
    dtype, shape = np.dtype(packed["dtype"]), packed["shape"]
    size = math.prod(shape) * dtype.itemsize
    if dtype.kind not in "biuf" or min(shape, default=0) < 0 or size > _LARGEST:
        raise ValueError(f"an array of {shape} {dtype} is none of a few inputs")
    # No more is unpacked than the shape asks for: a few bytes can claim to be gigabytes.
    raw = zlib.decompressobj().decompress(base64.b64decode(packed["zlib"]), max(size, 1))
    return np.frombuffer(raw, dtype=dtype).reshape(shape).copy()
