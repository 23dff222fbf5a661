"""All that resuming needs, on disk: whole, verified, and data only.

A checkpoint is a folder: `tensors.safetensors`, `state.json` (everything else), `MANIFEST.json` (sha256 of both).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lamina.ground import RunError, sha256, system_errors, whole_folder

_FILES = ("tensors.safetensors", "state.json")


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write nested plain values and tensors; the folder that was there stays until the new one is whole."""
    tensors: dict[str, Tensor] = {}
    plain = _apart(state, "", tensors)
    with whole_folder(folder) as part:
        with system_errors(folder):
            save_file(tensors, part / "tensors.safetensors")
        (part / "state.json").write_text(json.dumps(plain), "utf-8")
        manifest = {name: sha256(part / name) for name in _FILES}
        (part / "MANIFEST.json").write_text(json.dumps(manifest), "utf-8")


def load_checkpoint(folder: Path) -> dict[str, Any]:
    """What `save_checkpoint` was given.

    Raises:
        RunError: if a file is missing or is not what was written.
    """
    try:
        manifest = json.loads((folder / "MANIFEST.json").read_text("utf-8"))
        damaged = [name for name in _FILES if sha256(folder / name) != manifest[name]]
        if damaged:
            raise RunError(f"{folder / damaged[0]} is not the file that was saved. Train anew with --fresh.")
        tensors = load_file(folder / "tensors.safetensors")
        return _together(json.loads((folder / "state.json").read_text("utf-8")), tensors)
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{folder} holds no usable checkpoint ({error}). Train anew with --fresh.") from error


def _apart(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Plain values with a mark in the place of every tensor; integer keys are marked too, for JSON has none."""
    if isinstance(value, Tensor):
        tensors[path] = value.detach().to("cpu", copy=True).contiguous()
        return {"__tensor__": path}
    if isinstance(value, Mapping):
        if any(isinstance(name, int) for name in value):
            return {"__items__": [[name, _apart(inner, f"{path}/{name}", tensors)] for name, inner in value.items()]}
        return {name: _apart(inner, f"{path}/{name}", tensors) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_apart(inner, f"{path}/{place}", tensors) for place, inner in enumerate(value)]
    return value


def _together(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if "__tensor__" in value:
            return tensors[value["__tensor__"]]
        if "__items__" in value:
            return {name: _together(inner, tensors) for name, inner in value["__items__"]}
        return {name: _together(inner, tensors) for name, inner in value.items()}
    if isinstance(value, list):
        return [_together(inner, tensors) for inner in value]
    return value


def same_tensors(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether two sets of named tensors are identical, bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
