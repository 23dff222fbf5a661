"""All that resuming needs, on disk: whole, verified, and data only.

A checkpoint is a folder: `tensors.safetensors`, `state.json` (everything else), `MANIFEST.json` (sha256 of both). It
lies under a number of its own beside the one before it, which goes only when the new one has been read back: whenever
the process is killed, one that is whole is there.
"""

import contextlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from lamina.ground import RunError, clear_debris, load_tensors, sha256, system_errors, whole_folder

_FILES = ("tensors.safetensors", "state.json")
_NAME = "saved-"


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write nested plain values and tensors into `folder` as its newest checkpoint, and take older ones away.

    Only one process may save into a folder at a time.

    Raises:
        OSError: if the disk is full or failing; the checkpoint that was there is still there.
    """
    plain, tensors = apart(state)
    clear_debris(folder, settled_seconds=0)
    before = _saved(folder)
    number = _number(before[0]) + 1 if before else 1
    path = folder / f"{_NAME}{number:06d}"
    with whole_folder(path) as part:
        with system_errors(path):
            save_file(tensors, part / "tensors.safetensors")
        (part / "state.json").write_text(json.dumps(plain), "utf-8")
        manifest = {name: sha256(part / name) for name in _FILES}
        (part / "MANIFEST.json").write_text(json.dumps(manifest), "utf-8")
    _verify(path)
    for older in before:
        shutil.rmtree(older, ignore_errors=True)  # where that fails, the next save tries again


def has_checkpoint(folder: Path) -> bool:
    """Whether something was saved in a folder, or in folders inside it."""
    return next(folder.rglob(f"{_NAME}*"), None) is not None


def load_checkpoint(folder: Path) -> dict[str, Any]:
    """What `save_checkpoint` was given last.

    Raises:
        RunError: if no checkpoint in the folder is what was written; says what is wrong with the newest.
    """
    damage: RunError | None = None
    for path in _saved(folder):
        try:
            return _load(path)
        except RunError as error:
            damage = damage or error
    raise damage or RunError(f"{folder} holds no checkpoint. Train anew with --fresh.")


def _saved(folder: Path) -> list[Path]:
    """The checkpoints in a folder, the newest first."""
    with contextlib.suppress(FileNotFoundError):
        names = [path for path in folder.iterdir() if path.name.removeprefix(_NAME).isdecimal()]
        return sorted((path for path in names if path.name.startswith(_NAME)), key=_number, reverse=True)
    return []


def _number(path: Path) -> int:
    return int(path.name.removeprefix(_NAME))


def _load(path: Path) -> dict[str, Any]:
    try:
        _verify(path)
        tensors = load_tensors(path / "tensors.safetensors")
        return together(json.loads((path / "state.json").read_text("utf-8")), tensors)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{path} is no usable checkpoint ({error}). Train anew with --fresh.") from error


def _verify(path: Path) -> None:
    """Compare the files of a checkpoint with its manifest.

    Raises:
        RunError: if one is not what was written.
    """
    try:
        manifest = json.loads((path / "MANIFEST.json").read_text("utf-8"))
        damaged = [name for name in _FILES if sha256(path / name) != manifest[name]]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path / 'MANIFEST.json'} is not the file that was saved. Train anew with --fresh.") from error
    if damaged:
        raise RunError(f"{path / damaged[0]} is not the file that was saved. Train anew with --fresh.")


def apart(value: Any) -> tuple[Any, dict[str, Tensor]]:
    """Nested values as plain ones, with a mark in the place of every tensor, and copies of the tensors by path.

    Integer keys are marked too, for JSON has none.
    """
    tensors: dict[str, Tensor] = {}
    return _apart(value, "", tensors), tensors


def _apart(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
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


def together(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The opposite of `apart`."""
    if isinstance(value, dict):
        if "__tensor__" in value:
            return tensors[value["__tensor__"]]
        if "__items__" in value:
            return {name: together(inner, tensors) for name, inner in value["__items__"]}
        return {name: together(inner, tensors) for name, inner in value.items()}
    if isinstance(value, list):
        return [together(inner, tensors) for inner in value]
    return value


def copied(value: Any) -> Any:
    """Nested plain values and tensors, copied to the processor's memory: nothing changes them any more."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, Mapping):
        return {name: copied(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [copied(inner) for inner in value]
    return value


def same_tensors(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether two sets of named tensors are identical, bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
