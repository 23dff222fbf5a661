"""Optimizers: groups of parameters, their settings, and what is remembered of their gradients.

PyTorch's own import its compiler when one is made, which takes nearly as long as importing PyTorch itself and 70 MiB,
and on a small network they take longer to prepare a step than to compute it (docs/lab-notes.md, The machine). These
call the same kernels and give the same weights, bit for bit.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

Group = dict[str, Any]
"""Parameters under `params`, and the settings that they follow."""


def local(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor, in place: a share where processes divide it, otherwise all of it."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


class Optimizer(ABC):
    """Turns gradients into changes of parameters."""

    remembers: ClassVar[tuple[str, ...]] = ()
    """Names of what is kept of each parameter's gradients, in the shape of the parameter; zeros at first."""

    def __init__(self, groups: Iterable[Mapping[str, Any]], **settings: Any):
        """Groups of parameters, already on their device; `settings` hold where a group has none of its own."""
        self.param_groups: list[Group] = [{**settings, **group, "params": list(group["params"])} for group in groups]
        self.state: dict[Tensor, dict[str, Tensor]] = {
            parameter: self.fresh(group, parameter) for group in self.param_groups for parameter in group["params"]
        }

    def fresh(self, group: Group, parameter: Tensor) -> dict[str, Tensor]:
        """What is remembered of a parameter of a group before its first gradient."""
        return {name: torch.zeros_like(parameter.detach()) for name in self.remembers}

    @torch.no_grad()
    def step(self) -> None:
        """Apply one update to every parameter that has a gradient."""
        for group in self.param_groups:
            learning = [parameter for parameter in group["params"] if parameter.grad is not None]
            if learning:
                self.change(group, learning, [parameter.grad for parameter in learning])

    @abstractmethod
    def change(self, group: Group, parameters: list[Tensor], gradients: list[Tensor]) -> None:
        """Change some parameters of a group by their gradients."""

    def remembered(self, name: str, parameters: Iterable[Tensor]) -> list[Tensor]:
        """What is remembered under a name, a tensor for each parameter."""
        return [self.state[parameter][name] for parameter in parameters]

    def state_dict(self) -> dict[str, Any]:
        """Settings and memory, by the number of the parameter; the tensors are those at work, not copies."""
        numbers = {parameter: number for number, parameter in enumerate(self.state)}
        return {
            "state": {numbers[parameter]: dict(kept) for parameter, kept in self.state.items()},
            "param_groups": [{**group, "params": [numbers[p] for p in group["params"]]} for group in self.param_groups],
        }

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken; its tensors are copied."""
        for mine, theirs in zip(self.param_groups, state["param_groups"], strict=True):
            mine |= {name: value for name, value in theirs.items() if name != "params"}
        for number, kept in enumerate(self.state.values()):
            for name, value in kept.items():
                value.copy_(state["state"][number][name])


class Descent(Optimizer):
    """Gradient descent, with momentum where there is some, and Nesterov's look ahead."""

    remembers = ("momentum_buffer",)

    def fresh(self, group: Group, parameter: Tensor) -> dict[str, Tensor]:
        return super().fresh(group, parameter) if group["momentum"] else {}

    def change(self, group: Group, parameters: list[Tensor], gradients: list[Tensor]) -> None:
        buffers = self.remembered("momentum_buffer", parameters) if group["momentum"] else []
        if parameters[0] is not local(parameters[0]):  # this kernel is not made for shares, nor does it need to be
            parameters, gradients, buffers = (
                [local(each) for each in some] for some in (parameters, gradients, buffers)
            )
        torch._fused_sgd_(
            parameters, gradients, buffers,
            weight_decay=group["weight_decay"], momentum=group["momentum"], lr=group["lr"], dampening=0.0,
            nesterov=group["nesterov"], maximize=False, is_first_step=False,
        )  # fmt: skip


class RMSprop(Optimizer):
    """Gradients over the root of their running mean square (Hinton 2012), with momentum."""

    remembers = ("square_avg", "momentum_buffer")
    memory, least = 0.99, 1e-8

    def change(self, group: Group, parameters: list[Tensor], gradients: list[Tensor]) -> None:
        if group["weight_decay"]:
            gradients = list(torch._foreach_add(gradients, parameters, alpha=group["weight_decay"]))
        squares = self.remembered("square_avg", parameters)
        torch._foreach_mul_(squares, self.memory)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - self.memory)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_add_(roots, self.least)
        if group["momentum"]:
            buffers = self.remembered("momentum_buffer", parameters)
            torch._foreach_mul_(buffers, group["momentum"])
            torch._foreach_addcdiv_(buffers, gradients, roots)
            torch._foreach_add_(parameters, buffers, alpha=-group["lr"])
        else:
            torch._foreach_addcdiv_(parameters, gradients, roots, value=-group["lr"])


class Adam(Optimizer):
    """Adam (Kingma and Ba 2014), or AdamW where decay is `decoupled` (Loshchilov and Hutter 2017)."""

    remembers = ("exp_avg", "exp_avg_sq")
    least = 1e-8

    def __init__(self, groups: Iterable[Mapping[str, Any]], **settings: Any):
        super().__init__(groups, **settings)
        self._steps: dict[int, Tensor] = {}
        """By the identity of a group the steps of its parameters, side by side: counting them is one operation."""
        for group in self.param_groups:
            steps = self._steps[id(group)] = torch.zeros(len(group["params"]), device=group["params"][0].device)
            for parameter, step in zip(group["params"], steps, strict=True):
                self.state[parameter]["step"] = step

    def change(self, group: Group, parameters: list[Tensor], gradients: list[Tensor]) -> None:
        steps = self.remembered("step", parameters)
        if len(parameters) == len(group["params"]):
            self._steps[id(group)].add_(1)
        else:
            torch._foreach_add_(steps, 1)
        kernel = torch._fused_adamw_ if group["decoupled"] else torch._fused_adam_
        beta1, beta2 = group["betas"]
        kernel(
            parameters, gradients, self.remembered("exp_avg", parameters), self.remembered("exp_avg_sq", parameters),
            [], steps, lr=group["lr"], beta1=beta1, beta2=beta2, weight_decay=group["weight_decay"], eps=self.least,
            amsgrad=False, maximize=False,
        )  # fmt: skip


class EvenAdam(Optimizer):
    """AdamW with one mean square for the whole of a parameter (Zhang et al. 2024, "Adam-mini").

    For tables of which each row of data touches a few entries: Adam would move what it meets once as far as what it
    meets in every batch, and so learns rare entries by heart (docs/lab-notes.md, Texts).
    """

    remembers = ("exp_avg",)
    least = 1e-12

    def fresh(self, group: Group, parameter: Tensor) -> dict[str, Tensor]:
        scalars = {name: torch.zeros((), device=parameter.device) for name in ("step", "mean_square")}
        return super().fresh(group, parameter) | scalars

    def change(self, group: Group, parameters: list[Tensor], gradients: list[Tensor]) -> None:
        beta1, beta2 = group["betas"]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            kept = self.state[parameter]
            kept["step"].add_(1)
            square = torch.linalg.vector_norm(gradient).square() / gradient.numel()  # a mean without a table of squares
            square = square.full_tensor() if hasattr(square, "full_tensor") else square  # over all processes' shares
            kept["mean_square"].lerp_(square, 1 - beta2)
            kept["exp_avg"].lerp_(gradient, 1 - beta1)
            root = (kept["mean_square"] / (1 - beta2 ** kept["step"])).sqrt() + self.least
            if group["weight_decay"]:
                local(parameter).mul_(1 - group["lr"] * group["weight_decay"])
            rate = group["lr"] / (1 - beta1 ** kept["step"]) / root
            local(parameter).addcmul_(local(kept["exp_avg"]), rate, value=-1)
