"""Recurrent layers: a sequence is read token by token, and what was read so far is carried on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from lamina.ground.dropout import Dropout
from lamina.ground.errors import PlanError
from lamina.ground.shapes import Features, Form, Shape, tokens
from lamina.hidden._recurrent_alone import recurrent_alone
from lamina.hidden.contract import HiddenLayer, HiddenPlan, State, Step


@dataclass(frozen=True, kw_only=True)
class RecurrentPlan(HiddenPlan):
    """Layers that read a sequence in order, or in both orders side by side."""

    accepts: ClassVar[tuple[Form, ...]] = ("tokens",)
    cell: ClassVar[type[nn.RNNBase]]

    width: int = 128
    """Numbers that each direction of each layer carries on."""
    num_layers: int = 1
    """Layers on top of each other."""
    both_ways: bool = True
    """Whether another reader goes from the end to the beginning (Schuster and Paliwal 1997)."""
    dropout: float = 0.2
    """Share of the numbers that are left out at random in training, before each layer and after the last."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.num_layers < 1:
            raise PlanError(
                f"{self.name}: width is {self.width} and num_layers {self.num_layers}; both must be at least 1."
            )
        if not 0 <= self.dropout < 1:
            raise PlanError(f"{self.name}: dropout is {self.dropout}; it must be at least 0 and below 1.")

    def build(self, shape: Shape) -> "RecurrentLayer":
        """The layers for tokens of this width."""
        return RecurrentLayer(self, shape)


@dataclass(frozen=True, kw_only=True)
class RNNPlan(RecurrentPlan):
    """The plain recurrent network of Elman 1990, "Finding Structure in Time"."""

    name: ClassVar[str] = "rnn"
    cell: ClassVar[type[nn.RNNBase]] = nn.RNN


@dataclass(frozen=True, kw_only=True)
class GRUPlan(RecurrentPlan):
    """Gated recurrent units, Cho et al. 2014."""

    name: ClassVar[str] = "gru"
    cell: ClassVar[type[nn.RNNBase]] = nn.GRU


@dataclass(frozen=True, kw_only=True)
class LSTMPlan(RecurrentPlan):
    """Long short-term memory, Hochreiter and Schmidhuber 1997."""

    name: ClassVar[str] = "lstm"
    cell: ClassVar[type[nn.RNNBase]] = nn.LSTM


RECURRENT: dict[str, type[RecurrentPlan]] = {"rnn": RNNPlan, "gru": GRUPlan, "lstm": LSTMPlan}


class RecurrentLayer(HiddenLayer):
    """(batch, tokens, width) -> (batch, tokens, width of all directions); padding is not read."""

    def __init__(self, plan: RecurrentPlan, shape: Shape):
        """Layers as the plan says for tokens of `shape`."""
        super().__init__()
        directions = 2 if plan.both_ways else 1
        widths = [shape.width, *[plan.width * directions] * (plan.num_layers - 1)]
        self.readers = nn.ModuleList(
            nn.ModuleList(plan.cell(width, plan.width, batch_first=True) for _ in range(directions))  # type: ignore[call-arg, arg-type]
            for width in widths
        )
        self.dropout = Dropout(plan.dropout)
        self._remember()
        self.causal = not plan.both_ways
        self.shape = shape.with_width(plan.width * directions)

    def _remember(self) -> None:
        """An LSTM begins by forgetting little (Jozefowicz et al. 2015): long sequences are learned sooner."""
        for reader in self.modules():
            if isinstance(reader, nn.LSTM):
                bias = reader.get_parameter("bias_ih_l0")
                with torch.no_grad():
                    bias[reader.hidden_size : 2 * reader.hidden_size].fill_(1.0)

    @property
    def _layers(self) -> Sequence[Sequence[nn.RNNBase]]:
        return cast(Sequence[Sequence[nn.RNNBase]], self.readers)

    def forward(self, features: Features) -> Features:
        values, lengths = features.values, features.lengths
        batch, size, _ = values.shape
        ends = values.new_full((batch,), size, dtype=torch.long) if lengths is None else lengths
        order = None if self.causal else _backwards(ends, size)  # in one direction padding comes too late to matter
        for readers in self._layers:
            values = self.dropout(values)
            read = [readers[0](values)[0]]
            if order is not None:
                # The other reader is given each row turned round: padding stays behind it, and need not be packed away,
                # which takes twice as long (measured: docs/lab-notes.md).
                turned = readers[1](_reordered(values, order))[0]
                read.append(_reordered(turned, order))
            values = torch.cat(read, dim=2)
        return tokens(self.dropout(values), lengths)

    def go_on(self, features: Features, state: State | None) -> tuple[Features, State]:
        if not self.causal:
            return super().go_on(features, state)
        values, after = features.values, list[Tensor]()
        for place, (reader,) in enumerate(self._layers):
            parts = 2 if isinstance(reader, nn.LSTM) else 1
            known = [] if state is None else state[parts * place : parts * (place + 1)]
            before = tuple(each.transpose(0, 1).contiguous() for each in known) or None
            values, kept = reader(self.dropout(values), before[0] if before and parts == 1 else before)
            after += [each.transpose(0, 1) for each in (kept if parts == 2 else (kept,))]
        return tokens(self.dropout(values)), tuple(after)

    def alone(self) -> Callable[[State], Step] | None:
        return recurrent_alone([reader for (reader,) in self._layers]) if self.causal else None


def _backwards(lengths: Tensor, size: int) -> Tensor:
    """(batch * size,) where each token stands, rows end to end, when each row is turned round up to its length."""
    places = torch.arange(size, device=lengths.device)
    turned = torch.where(places < lengths[:, None], lengths[:, None] - 1 - places, places)
    return (turned + size * torch.arange(len(lengths), device=lengths.device)[:, None]).flatten()


def _reordered(values: Tensor, order: Tensor) -> Tensor:
    return _Reorder.apply(values, order)  # type: ignore[no-untyped-call]


class _Reorder(torch.autograd.Function):
    """Tokens in another order, which taken twice is the first again: gradients go back the way values came."""

    @staticmethod
    def forward(context: Any, values: Tensor, order: Tensor) -> Tensor:
        context.save_for_backward(order)
        return values.flatten(0, 1).index_select(0, order).view_as(values)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (order,) = context.saved_tensors
        return gradient.flatten(0, 1).index_select(0, order).view_as(gradient), None
