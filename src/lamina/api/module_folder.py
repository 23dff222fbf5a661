"""The folder of a module that `fit` trains: what was asked for, what was decided on the way, the weights."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lamina.api.request import differences
from lamina.ground import RunError, load_tensors, system_errors, whole_file
from lamina.run import RunFolder

_NAMED = 5
"""Differences that a refusal lists: two modules may differ in every tensor."""


class Decisions:
    """What a training decides on its way, written into its folder before it takes effect, and read back."""

    def __init__(self, folder: RunFolder | None):
        """Those in the folder already; kept nowhere when None."""
        self._folder = folder
        self.made: list[dict[str, Any]] = [] if folder is None else list(folder.state()["decisions"])

    def __call__(self, decision: Mapping[str, Any]) -> None:
        """Write one down; those of later steps were undone by going back to an earlier one."""
        self.made = [each for each in self.made if each["step"] <= decision["step"]] + [dict(decision)]
        if self._folder is not None:
            self._folder.update_state(decisions=self.made)


def begin(folder: RunFolder, module: nn.Module, asked: Mapping[str, Any]) -> None:
    """Write down what is asked for, or make sure that the folder's training was asked for alike.

    Raises:
        RunError: if the folder holds another training; what differs is named.
    """
    wanted = {**asked, "module": {name: list(value.shape) for name, value in module.state_dict().items()}}
    if not folder.is_run:
        folder.start(own_module=type(module).__name__, asked=wanted, decisions=[], finished=False)
        return
    state = folder.state()
    if "asked" not in state:
        raise RunError(f"{folder.path} holds a run of `lamina train`. Choose another folder: out=...")
    differing = differences(wanted, state["asked"])
    if differing:
        more = f"; and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
        raise RunError(
            f"{folder.path} belongs to another training: {'; '.join(differing[:_NAMED])}{more}. "
            "Choose another folder: out=..., or take this one away."
        )


def content(*tensors: Tensor) -> str:
    """12 hexadecimal digits that change with any value, shape or type of the tensors."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype}{list(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:12]


def write_module(folder: RunFolder, network: nn.Module, **values: object) -> None:
    """Weights, and of the module its name and shapes only: a run is data, never code."""
    weights = {name: value.contiguous().cpu() for name, value in network.state_dict().items()}
    with whole_file(folder / "network.safetensors") as part, system_errors(folder.path):
        save_file(weights, part)
    folder.update_state(finished=True, **values)
    folder.write_manifest()


def load_module(path: str | Path, module: nn.Module) -> nn.Module:
    """Give a module the weights of a folder that `fit` wrote, verified.

    Raises:
        RunError: if the folder is damaged, or holds weights of another module.
    """
    folder = RunFolder(Path(path))
    folder.verify()
    try:
        module.load_state_dict(load_tensors(folder / "network.safetensors"))
    except RuntimeError as error:
        kept = folder.state().get("own_module")
        raise RunError(
            f"{path} holds the weights of a {kept}, which do not fit this {type(module).__name__}: {error}"
        ) from error
    return module.eval()
