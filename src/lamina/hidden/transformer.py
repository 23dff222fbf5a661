"""A transformer: every token looks at every other one of its window, or only at those before it.

Vaswani et al. 2017, "Attention Is All You Need", with the changes that proved themselves since: normalisation before
each block (Xiong et al. 2020) and positions by rotation (Su et al. 2021, "RoFormer").
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.ground.dropout import Dropout
from lamina.ground.errors import PlanError
from lamina.ground.rotation import turned, turns
from lamina.ground.shapes import Features, Form, Shape, tokens
from lamina.hidden._transformer_alone import TransformerAlone
from lamina.hidden._windows import in_windows
from lamina.hidden.activations import ActivationName, activation
from lamina.hidden.contract import HiddenLayer, HiddenPlan, State, Step


@dataclass(frozen=True, kw_only=True)
class TransformerPlan(HiddenPlan):
    """Blocks of attention and dense layers."""

    name: ClassVar[str] = "transformer"
    accepts: ClassVar[tuple[Form, ...]] = ("tokens",)

    width: int = 128
    """Numbers of a token between the blocks."""
    num_layers: int = 2
    """Blocks on top of each other."""
    heads: int = 4
    """Ways of looking side by side; the width is divided among them."""
    window: int = 512
    """Tokens that look at each other; a longer text is read in windows of this many, and nothing is cut off."""
    causal: bool = False
    """Whether a token looks only at itself and those before it, to learn what comes next."""
    activation: ActivationName = "gelu"
    """Between the two dense layers of a block."""
    dropout: float = 0.1
    """Share of each block's answer that is left out at random in training."""

    def __post_init__(self) -> None:
        for setting in ("width", "num_layers", "heads", "window"):
            if (value := getattr(self, setting)) < 1:
                raise PlanError(f"transformer: {setting} is {value}; it must be at least 1.")
        if self.width % (2 * self.heads):
            raise PlanError(
                f"transformer: a width of {self.width} cannot be divided among {self.heads} heads in pairs; take a "
                f"multiple of {2 * self.heads}."
            )
        if not 0 <= self.dropout < 1:
            raise PlanError(f"transformer: dropout is {self.dropout}; it must be at least 0 and below 1.")

    def build(self, shape: Shape) -> "TransformerLayer":
        """The blocks for tokens of this width."""
        return TransformerLayer(self, shape)


class TransformerLayer(HiddenLayer):
    """(batch, tokens, width) -> (batch, tokens, width of the plan); what stands in padding means nothing."""

    def __init__(self, plan: TransformerPlan, shape: Shape):
        """Blocks as the plan says for tokens of `shape`."""
        super().__init__()
        self.window, self.causal = plan.window, plan.causal
        self.enter = nn.Linear(shape.width, plan.width)
        self.blocks = nn.ModuleList(Block(plan) for _ in range(plan.num_layers))
        self.norm = nn.LayerNorm(plan.width)
        self.shape = shape.with_width(plan.width)

    def forward(self, features: Features) -> Features:
        values, lengths = self.enter(features.values), features.lengths
        batch, count, width = values.shape
        # Where each looks back only, padding comes too late to be looked at.
        values, true = in_windows(values, lengths, self.window)
        true = None if self.causal else true
        angles = turns(values.shape[1], width // self.blocks[0].heads, values)
        for block in self.blocks:
            values, _ = block(values, true, angles, is_causal=self.causal)
        values = self.norm(values).reshape(batch, -1, width)[:, :count]
        return tokens(values, lengths)

    def go_on(self, features: Features, state: State | None) -> tuple[Features, State]:
        if not self.causal:
            return super().go_on(features, state)
        values = self.enter(features.values)
        batch, count, width = values.shape
        heads = self.blocks[0].heads
        place = values.new_zeros(batch, 1, dtype=torch.long) if state is None else state[0]
        kept = state[1:] if state else (values.new_zeros(batch, heads, 0, width // heads),) * (2 * len(self.blocks))
        before = kept[0].shape[2]
        # What is kept is as it was turned at its own place, for only the distance between two tokens counts.
        angles = turns(before + count, width // heads, values, int(place.max()) - before)
        away = torch.arange(before, before + count)[:, None] - torch.arange(before + count)
        seen = ((away >= 0) & (away < self.window)).to(values.device)
        after: list[Tensor] = []
        for number, block in enumerate(self.blocks):
            values, held = block(values, seen, (angles[0][before:], angles[1][before:]),
                                 kept=kept[2 * number : 2 * number + 2])  # fmt: skip
            after += [each[:, :, -(self.window - 1) :] if self.window > 1 else each[:, :, :0] for each in held]
        return tokens(self.norm(values)), (place + count, *after)

    def alone(self) -> Callable[[State], Step] | None:
        return TransformerAlone(self.enter, [*self.blocks], self.norm, self.window) if self.causal else None


class Block(nn.Module):
    """Attention, then two dense layers for each token; the input is added around both."""

    def __init__(self, plan: TransformerPlan):
        """One block of the plan."""
        super().__init__()
        self.heads = plan.heads
        self.first, self.second = nn.LayerNorm(plan.width), nn.LayerNorm(plan.width)
        self.look, self.gather = nn.Linear(plan.width, 3 * plan.width), nn.Linear(plan.width, plan.width)
        self.dense = nn.Sequential(
            nn.Linear(plan.width, 4 * plan.width), activation(plan.activation), nn.Linear(4 * plan.width, plan.width)
        )
        self.dropout = Dropout(plan.dropout)

    def forward(self, values: Tensor, true: Tensor | None, angles: tuple[Tensor, Tensor], is_causal: bool = False,
                kept: tuple[Tensor, ...] = ()) -> tuple[Tensor, tuple[Tensor, Tensor]]:  # fmt: skip
        """(rows, tokens, width) -> the same shape, and the keys and values that later tokens may look at.

        Args:
            true: which tokens each may look at; None for all.
            angles: the rotation of each token's place.
            is_causal: whether each looks only at itself and those before it.
            kept: keys and values of earlier tokens, (rows, heads, tokens, width of a head).
        """
        rows, count, width = values.shape
        asked = self.look(self.first(values)).reshape(rows, count, 3, self.heads, width // self.heads)
        query, key, value = asked.permute(2, 0, 3, 1, 4)  # (rows, heads, tokens, width of a head) each
        query, key = turned(query, angles), turned(key, angles)
        if kept:
            key, value = torch.cat([kept[0], key], 2), torch.cat([kept[1], value], 2)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=true, is_causal=is_causal)
        values = values + self.dropout(self.gather(seen.transpose(1, 2).reshape(rows, count, width)))
        return values + self.dropout(self.dense(self.second(values))), (key, value)
