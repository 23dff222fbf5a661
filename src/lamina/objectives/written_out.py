"""Backpropagation written out for a plain sequence of dense layers.

PyTorch notes down every operation and walks back through its notes, which costs a network of a few dense layers a tenth
of its step and more (docs/lab-notes.md, The machine 35). Here the way back stands in the code: the same kernels in the
same order, so that weights agree bit for bit.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.losses import Loss, LossFunction

_aten = torch.ops.aten
_ONE = torch.ones(())
_MEAN, _IGNORED = 1, -100
"""How the kernels name an average, and the class of rows that do not count: those of `functional.cross_entropy`."""


class _Bend(NamedTuple):
    """What an activation does, in place, and what its derivative makes of a gradient and of its own answer."""

    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]


_BENDS: dict[type[nn.Module], _Bend] = {
    nn.ReLU: _Bend(torch.relu_, lambda gradient, answer: _aten.threshold_backward.default(gradient, answer, 0)),
    nn.Tanh: _Bend(torch.tanh_, _aten.tanh_backward.default),
    nn.Sigmoid: _Bend(torch.sigmoid_, _aten.sigmoid_backward.default),
}


class _Step(NamedTuple):
    """A dense layer and what bends its answer."""

    weight: Tensor
    bias: Tensor | None
    bend: _Bend | None


class WrittenOut:
    """Dense layers one after the other, each with at most one activation behind it, and the loss of their answer."""

    def __init__(self, steps: list[_Step], loss: LossFunction):
        """See `of`."""
        self._steps, self._loss = steps, loss

    @classmethod
    def of(cls, network: nn.Module, loss: LossFunction) -> "WrittenOut | None":
        """The network written out; None where it is anything else than dense layers on a processor.

        Args:
            network: as it will be trained, on its device; its parameters are used in place.
            loss: (outputs, targets) -> the mean over the batch.
        """
        steps: list[_Step] = []
        for layer in network if type(network) is nn.Sequential else ():
            if type(layer) is nn.Linear:
                steps.append(_Step(layer.weight, layer.bias, None))
            elif type(layer) in _BENDS and steps and steps[-1].bend is None:
                steps[-1] = steps[-1]._replace(bend=_BENDS[type(layer)])
            else:
                return None
        watched = any(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks
                      or module._backward_pre_hooks or "forward" in vars(module)
                      for module in network.modules())  # fmt: skip
        parameters = [parameter for step in steps for parameter in step[:2] if parameter is not None]
        plain = all(type(p) is nn.Parameter and p.requires_grad and p.device.type == "cpu" and p.dtype == torch.float32
                    and not p._backward_hooks and not p._post_accumulate_grad_hooks
                    for p in parameters)  # fmt: skip
        shared = len(parameters) > len(set(parameters))
        return cls(steps, loss) if steps and plain and not shared and not watched else None

    def takes(self, inputs: Tensor) -> bool:
        """Whether these are plain rows of numbers, to be computed as they are."""
        return inputs.dim() == 2 and inputs.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")

    @torch.no_grad()
    def loss(self, inputs: Tensor, targets: Tensor) -> Loss:
        """The mean over a batch, (rows, width) and whatever targets the loss takes; it knows its own way back."""
        given = []
        values = inputs
        for weight, bias, bend in self._steps:
            given.append(values)
            values = values.mm(weight.t()) if bias is None else torch.addmm(bias, values, weight.t())
            values = values if bend is None else bend.forward(values)
        if self._loss is functional.cross_entropy and targets.dtype == torch.int64 and targets.dim() == 1:
            mean, gradient = _cross_entropy(values, targets)
        else:
            mean, gradient = _any_loss(self._loss, values, targets)
        return _KnowsItsWay(mean, float(len(inputs)), lambda: self._back(given, values, gradient()))

    @torch.no_grad()
    def _back(self, given: list[Tensor], answer: Tensor, gradient: Tensor) -> None:
        """Leave the gradients in the parameters.

        Args:
            given: (rows, width) what each layer was given.
            answer: (rows, width) what came out of the last one.
            gradient: of the mean loss by that.
        """
        for weight, bias, bend in reversed(self._steps):
            taken = given.pop()
            if bend is not None:
                gradient = bend.backward(gradient, answer)
            if bias is not None:
                _add(bias, gradient.sum(0))
            _add(weight, gradient.t().mm(taken))
            if given:  # nobody asks how the rows themselves should change
                gradient, answer = gradient.mm(weight), taken


class _KnowsItsWay(Loss):
    """A mean that was computed without PyTorch's notes."""

    __slots__ = ("_back",)

    def __init__(self, mean: Tensor, count: float, back: Callable[[], None]):
        """See `Loss`; `back` leaves the gradients of the mean in the parameters."""
        super().__init__(mean, count, averaged=True)
        self._back = back

    def backward(self, inputs: Sequence[Tensor] | None = None) -> Tensor:
        self._back()
        return self._value


def _cross_entropy(scores: Tensor, classes: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    """The mean cross entropy of (rows, classes) scores, and what says its gradient by them."""
    logs = torch.log_softmax(scores, 1)
    mean, counted = _aten.nll_loss_forward.default(logs, classes, None, _MEAN, _IGNORED)

    def gradient() -> Tensor:
        by_logs = _aten.nll_loss_backward.default(_ONE, logs, classes, None, _MEAN, _IGNORED, counted)
        return _aten._log_softmax_backward_data.default(by_logs, logs, 1, logs.dtype)

    return mean, gradient


def _any_loss(loss: LossFunction, scores: Tensor, targets: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    """The mean loss of scores, and what says its gradient by them.

    A penalty on weights that the loss holds leaves its gradients in those, where the way back adds its own.
    """
    with torch.enable_grad():
        mean = loss(scores.requires_grad_().clone(), targets)  # a loss may change what it is given

    def gradient() -> Tensor:
        mean.backward()
        return torch.zeros_like(scores) if scores.grad is None else scores.grad

    return mean.detach(), gradient


def _add(parameter: Tensor, gradient: Tensor) -> None:
    parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
