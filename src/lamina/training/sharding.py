"""Networks that fit no single device: several processes divide the weights among themselves (torch's FSDP2).

Whatever leaves such a network is whole: checkpoints know nothing of how many processes wrote them.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from lamina.training.update import Update

LEAST = 100_000
"""Weights that are gathered together at least: messages about fewer cost more than the memory is worth."""


def divide(module: nn.Module, device: torch.device, size: int) -> None:
    """Divide a network's weights among `size` processes, in place; blocks of layers are gathered one at a time."""
    mesh = init_device_mesh(device.type, (size,))
    for layer in _blocks(module):
        fully_shard(layer, mesh=mesh, reshard_after_forward=True)
    fully_shard(module, mesh=mesh, reshard_after_forward=True)
    # Of answers that are views, which heads give: nothing changes them in place before the loss.
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view")
    for part in module.modules():
        if isinstance(part, FSDPModule):  # gradients of sums add up; `take_step` divides them once
            part.set_gradient_divide_factor(1.0)
            part.set_force_sum_reduction_for_comms(True)


def _blocks(module: nn.Module) -> Iterable[nn.Module]:
    """Members of sequences, each with enough weights to be worth a message of its own, the inner ones first."""
    found = []
    for part in module.modules():
        if isinstance(part, nn.Sequential):
            found += [layer for layer in part if sum(p.numel() for p in layer.parameters()) >= LEAST]
    return reversed(list(dict.fromkeys(layer for layer in found if not isinstance(layer, nn.Sequential))))


def whole(value: Any) -> Any:
    """Nested values with every divided tensor put together, in the processor's memory; all processes call it."""
    if isinstance(value, DTensor):
        return value.full_tensor().detach().cpu()
    if isinstance(value, Mapping):
        return {name: whole(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [whole(inner) for inner in value]
    return value


def keeping_shares(modules: Mapping[str, nn.Module], updates: Mapping[str, Update]) -> Callable[[str, Tensor], Tensor]:
    """What this process keeps of each tensor of a course: its share, where the tensor at work is divided.

    Args:
        modules: networks by the path of their weights in a course.
        updates: whose optimizers' memory is divided as the weights are.
    """
    likes: dict[str, Tensor] = {}
    for path, module in modules.items():
        likes |= {f"{path}/{name}": value for name, value in module.state_dict().items()}
    memories: dict[str, Tensor] = {}
    for player, update in updates.items():
        for number, optimizer in enumerate(update.optimizers):
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            memories |= {f"/optimizers/{player}/{number}/state/{at}": p for at, p in enumerate(parameters)}

    def keep(path: str, tensor: Tensor) -> Tensor:
        like = likes.get(path, memories.get(path.rpartition("/")[0]))
        if not isinstance(like, DTensor) or like.shape != tensor.shape:
            return tensor
        return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements, src_data_rank=None)

    return keep
