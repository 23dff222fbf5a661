"""Muon: steps for matrices and filters that are made orthogonal, and which parameters take them."""

import torch
from torch import Tensor, nn

from lamina.training.optimizers import Group, Optimizer

FIXED_RATE, FIXED_MOMENTUM = 12.0, 0.6
"""Filters of fixed length take larger steps with less memory (Jordan 2024; measured: docs/lab-notes.md)."""

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
"""Matrices that recurrent layers keep one above the other in a single parameter; each is turned by itself."""


def muon_groups(module: nn.Module, rate: float) -> list[Group]:
    """The matrices and filters of hidden layers and trunks, apart from those whose length the layer after undoes.

    A convolution without a bias has a norm behind it, which divides by the filter's length: there the length is kept
    fixed, so that the step turns the filter by the same angle throughout (Jordan 2024, airbench). Thin matrices such
    as adapters are left to adamw: orthogonal steps need two dimensions worth the name.
    """
    free: list[nn.Parameter] = []
    fixed: list[nn.Parameter] = []
    gates: dict[int, list[nn.Parameter]] = {}
    for name, part in module.named_modules():
        if not any(word in ("hidden", "trunks") for word in name.split(".")):
            continue
        for own, parameter in part.named_parameters(recurse=False):
            if not parameter.requires_grad or parameter.dim() not in (2, 4) or min(parameter.flatten(1).shape) < 8:
                continue
            if isinstance(part, nn.RNNBase):
                gates.setdefault(_GATES[part.mode], []).append(parameter)
                continue
            normed = isinstance(part, nn.Conv2d) and part.bias is None and own == "weight"
            (fixed if normed else free).append(parameter)
    groups = [
        {"params": free, "fixed": False, "lr": rate},
        {"params": fixed, "fixed": True, "lr": FIXED_RATE * rate, "momentum": FIXED_MOMENTUM, "weight_decay": 0.0},
    ]
    groups += [{"params": kept, "fixed": False, "lr": rate, "blocks": count} for count, kept in gates.items()]
    return [group for group in groups if group["params"]]


class Muon(Optimizer):
    """Momentum whose matrix is made orthogonal before it is applied (Jordan et al. 2024, "Muon").

    For matrices and convolution filters of hidden layers; a filter is taken as (out, in * height * width). In groups
    with `fixed`, the length of each parameter is kept at the square root of its outputs.
    """

    remembers = ("velocity",)

    def change(self, group: Group, parameters: list[Tensor], gradients: list[Tensor]) -> None:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            velocity = self.state[parameter]["velocity"].mul_(group["momentum"]).add_(gradient)
            ahead = gradient.add(velocity, alpha=group["momentum"])  # Nesterov's look ahead
            blocks = group.get("blocks", 1)
            change = _turns(_matrix(ahead), blocks, 3 if group["fixed"] else 5)
            matrix = _matrix(parameter)
            if group["fixed"]:
                matrix.mul_(len(matrix) ** 0.5 / matrix.norm())
            else:
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
            longer = max(1.0, matrix.shape[0] / blocks / matrix.shape[1])
            matrix.add_(change, alpha=-group["lr"] * longer**0.5)


def _turns(matrix: Tensor, blocks: int, steps: int) -> Tensor:
    """Each of the blocks that lie one above the other, made orthogonal by itself.

    A new tensor: pieces of one that processes divide among themselves are copies.
    """
    if blocks == 1:
        return orthogonal(matrix, steps)
    return torch.cat([orthogonal(block, steps) for block in matrix.chunk(blocks)])


def _matrix(values: Tensor) -> Tensor:
    """(out, in * height * width), columns in the order of memory: a view, and their order changes no result."""
    last = values.dim() == 4 and values.is_contiguous(memory_format=torch.channels_last)
    return (values.permute(0, 2, 3, 1) if last else values).flatten(1)


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """The nearest matrix with orthonormal rows or columns, roughly, by Newton and Schulz's iteration.

    Args:
        matrix: (rows, columns).
        steps: rounds of the quintic iteration; its coefficients are those of Jordan et al. (2024), which bring every
            singular value to somewhere between 0.7 and 1.2.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
