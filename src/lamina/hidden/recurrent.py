"""Recurrent layers: a sequence is read token by token, and what was read so far is carried on."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn.utils import rnn

from lamina.ground.errors import PlanError
from lamina.ground.shapes import Features, Form, Shape, tokens
from lamina.hidden.contract import HiddenLayer, HiddenPlan, State


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
        self.before, self.after = nn.Dropout(plan.dropout), nn.Dropout(plan.dropout)
        between = plan.dropout if plan.num_layers > 1 else 0.0
        self.readers = plan.cell(shape.width, plan.width, plan.num_layers, batch_first=True,  # type: ignore[arg-type]
                                 dropout=between, bidirectional=plan.both_ways)  # fmt: skip
        self._remember()
        self.causal = not plan.both_ways
        self.shape = shape.with_width(plan.width * (2 if plan.both_ways else 1))

    def _remember(self) -> None:
        """An LSTM begins by forgetting little (Jozefowicz et al. 2015): long sequences are learned sooner."""
        if isinstance(self.readers, nn.LSTM):
            for name, bias in self.readers.named_parameters():
                if name.startswith("bias_ih"):
                    with torch.no_grad():
                        bias[self.readers.hidden_size : 2 * self.readers.hidden_size].fill_(1.0)

    def forward(self, features: Features) -> Features:
        values, lengths = self.before(features.values), features.lengths
        if lengths is None or self.causal:  # in one direction padding comes too late to matter
            return tokens(self.after(self.readers(values)[0]), lengths)
        packed = rnn.pack_padded_sequence(values, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        read, _ = rnn.pad_packed_sequence(self.readers(packed)[0], batch_first=True, total_length=values.shape[1])
        return tokens(self.after(read), lengths)

    def go_on(self, features: Features, state: State | None) -> tuple[Features, State]:
        if not self.causal:
            return super().go_on(features, state)
        several = isinstance(self.readers, nn.LSTM)
        before = None if state is None else tuple(each.transpose(0, 1).contiguous() for each in state)
        read, after = self.readers(self.before(features.values), before if several or before is None else before[0])
        kept = after if several else (after,)
        return tokens(self.after(read)), tuple(each.transpose(0, 1) for each in kept)
