"""Weights that were trained elsewhere, brought into a network, with a report on every tensor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from lamina.ground.errors import PlanError, listing
from lamina.hidden.weights_file import LARGEST_FILE, read_weights

# Put before every name by torch's data parallel and compile wrappers.
_WRAPPERS = ("module.", "_orig_mod.")


@dataclass(frozen=True)
class Report:
    """What became of every tensor of a weights file. Each of its names stands in one of the lists, `missing` apart."""

    source: str
    """The file."""
    matched: tuple[str, ...] = ()
    """Taken over as they are."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Taken over under another name: (in the file, here)."""
    reshaped: tuple[str, ...] = ()
    """Taken over after their colour channels were summed, for grey pictures."""
    replaced: tuple[str, ...] = ()
    """Not taken over, since the network has a layer of another shape there, or its own output layer."""
    missing: tuple[str, ...] = ()
    """In the network but not in the file: these keep their first weights."""
    unexpected: tuple[str, ...] = ()
    """In the file but not in the network."""
    head: Mapping[str, Tensor] = field(default_factory=dict, repr=False, compare=False)
    """Weight and bias of the file's last dense layer by name, for the output layer to take; {} without one."""
    vectors: Tensor | None = field(default=None, repr=False, compare=False)
    """(tokens, width) the file's vectors of tokens, for the input layer to take; None without any."""

    def __str__(self) -> str:
        taken = len(self.matched) + len(self.renamed) + len(self.reshaped)
        lines = [f"{self.source}: {taken} tensors taken over"]
        if self.renamed:
            lines.append(f"  renamed     {len(self.renamed)}, such as {self.renamed[0][0]} -> {self.renamed[0][1]}")
        for label, names, meaning in (
            ("reshaped", self.reshaped, "colour channels summed for grey pictures"),
            ("replaced", self.replaced, "the network has its own layers here"),
            ("missing", self.missing, "not in the file, trained from the start"),
            ("unexpected", self.unexpected, "not in the network, left aside"),
        ):
            if names:
                lines.append(f"  {label:<11} {listing(names)} ({meaning})")
        return "\n".join(lines)


def load_weights(module: nn.Module, path: str | Path, head: str | None = None, largest: int = LARGEST_FILE) -> Report:
    """Fill a module with the weights of a file, tensor by tensor, in place.

    Names are matched after the prefixes of torch's wrappers are dropped. A first layer for one channel takes weights
    made for three by summing them: it then answers to grey what the published one does to the same grey as colour.

    Args:
        module: the network; left as it is when this raises.
        path: a local `.safetensors`, `.pth` or `.pt` file.
        head: the name of the file's last dense layer, when `module` ends before it: `fc`. Kept in `Report.head`.
        largest: bytes of the largest file that is accepted.

    Raises:
        PlanError: if the file cannot be read, or fills less than half of the module's tensors.
    """
    found, names_in_file = _without_wrappers(read_weights(path, largest))
    return take_over(module, found, names_in_file, path, head)


def take_over(module: nn.Module, found: Mapping[str, Tensor], names_in_file: Mapping[str, str], path: str | Path,
              head: str | None = None, vectors: Tensor | None = None) -> Report:  # fmt: skip
    """Fill a module with tensors that were read, in place.

    Args:
        module: the network; left as it is when this raises.
        found: the tensors, by the names that they would have in the module.
        names_in_file: what each is called in the file.
        path: the file, for the report.
        head: the name of the last dense layer, when `module` ends before it.
        vectors: of tokens, for the report.

    Raises:
        PlanError: if they fill less than half of the module's tensors.
    """
    own = module.state_dict()
    lists: dict[str, list[str]] = {"matched": [], "reshaped": [], "replaced": [], "unexpected": []}
    renamed, fills, offered = [], {}, {}
    for name, tensor in found.items():
        if head is not None and name in (f"{head}.weight", f"{head}.bias"):
            offered[name] = tensor.clone()  # not a view of the file
            lists["replaced"].append(name)
        elif name not in own:
            lists["unexpected"].append(name)
        elif (fitting := _fitting(tensor, own[name])) is None:
            lists["replaced"].append(name)
        else:
            fills[name] = fitting
            if fitting is not tensor:
                lists["reshaped"].append(name)
            elif names_in_file[name] != name:
                renamed.append((names_in_file[name], name))
            else:
                lists["matched"].append(name)
    # Counters of batch norm are not learned, and files of older torch lack them.
    needed = [name for name in own if not name.endswith("num_batches_tracked")]
    filled = sum(name in fills for name in needed)
    if 2 * filled < len(needed):
        raise PlanError(_does_not_fit(path, filled, needed, found))
    with torch.no_grad():
        for name, tensor in fills.items():
            own[name].copy_(tensor)
    return Report(
        str(path),
        renamed=tuple(renamed),
        missing=tuple(name for name in needed if name not in found),
        head=offered,
        vectors=vectors,
        **{label: tuple(names) for label, names in lists.items()},
    )


def _without_wrappers(found: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name without prefixes that all of them carry, and each one's name in the file."""
    names_in_file = {name: name for name in found}
    while prefix := next((prefix for prefix in _WRAPPERS if all(n.startswith(prefix) for n in names_in_file)), ""):
        names_in_file = {name.removeprefix(prefix): original for name, original in names_in_file.items()}
    return {name: found[original] for name, original in names_in_file.items()}, names_in_file


def _fitting(tensor: Tensor, own: Tensor) -> Tensor | None:
    """The tensor in the shape of the network's own, itself where nothing had to change; None if that cannot be."""
    if tensor.is_floating_point() != own.is_floating_point():
        return None
    if tensor.shape == own.shape:
        return tensor
    grey = own.ndim == 4 and own.shape[1] == 1 and tensor.shape == (own.shape[0], 3, *own.shape[2:])
    return tensor.sum(1, keepdim=True) if grey else None  # (maps, 3, height, width) -> (maps, 1, height, width)


def _does_not_fit(path: str | Path, filled: int, needed: list[str], found: Mapping[str, Tensor]) -> str:
    return (
        f"weights: {path} was made for another network: it fills {filled} of {len(needed)} tensors. "
        f"The network has {listing(needed, 3)}; the file has {listing(found, 3)}. Name the network that the weights "
        "were made for, or give it the settings that they were made with (batch_norm, classifier_width)."
    )
