"""A transformer that reads on one token at a time, with its weights laid out for that.

A single token leaves the processor mostly calling: so a block is brought down to the fewest calls. What the norm
multiplies by is multiplied into the matrix behind it, matrices lie as a row times a matrix reads them, and the queries
and keys whose halves are exchanged, which rotation needs, come out of the same product.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.ground.rotation import turns
from lamina.ground.shapes import Features, tokens
from lamina.hidden.contract import State

if TYPE_CHECKING:
    from lamina.hidden.transformer import Block

_PLACES = 1024
"""Places whose rotation is worked out at a time."""


class TransformerSteps:
    """`go_on` of a causal transformer for one token: the same answers up to rounding."""

    def __init__(self, enter: nn.Linear, blocks: "Sequence[Block]", norm: nn.LayerNorm, window: int):
        """A copy of the weights of a transformer's parts, which must not learn any more."""
        self._enter, self._norm, self._window = _laid_out(enter.weight, enter.bias), norm, window
        self._blocks = [_BlockStep(block) for block in blocks]
        self._first, self._turns = 0, self._blocks[0].turns(0)

    def __call__(self, features: Features, state: State) -> tuple[Features, State]:
        """A token for each row, (batch, 1, width), and the state after it."""
        place = int(state[0].max())
        if not self._first <= place < self._first + _PLACES:
            self._first = place
            self._turns = self._blocks[0].turns(place)
        turn = self._turns[0][place - self._first], self._turns[1][place - self._first]
        weight, bias = self._enter
        values = torch.addmm(bias, features.values[:, 0], weight)
        after: list[Tensor] = [state[0] + 1]
        for number, block in enumerate(self._blocks):
            values, keys, held = block(values, turn, *state[1 + 2 * number : 3 + 2 * number])
            if keys.shape[2] >= self._window:
                first = keys.shape[2] - self._window + 1
                keys, held = keys[:, :, first:], held[:, :, first:]
            after += [keys, held]
        return tokens(self._norm(values)[:, None]), tuple(after)


class _BlockStep:
    def __init__(self, block: "Block"):
        look, gather, (wide, between, narrow) = block.look, block.gather, block.dense
        assert isinstance(wide, nn.Linear) and isinstance(narrow, nn.Linear)
        self.heads, self.width = block.heads, gather.in_features
        size = self.width // self.heads
        weight, bias = _behind(block.first, look)
        # (query key value, heads, halves, half a head): the halves of queries and keys once more, exchanged.
        parts = weight.view(3, self.heads, 2, size // 2, -1), bias.view(3, self.heads, 2, size // 2)
        both = [torch.cat([part, part[:2].flip(2)]).flatten(0, 3) for part in parts]
        self.look, self.gather = _laid_out(*both), _laid_out(gather.weight, gather.bias)
        self.wide, self.narrow = _laid_out(*_behind(block.second, wide)), _laid_out(narrow.weight, narrow.bias)
        self.between = _gelu if isinstance(between, nn.GELU) and between.approximate == "none" else between
        self.eps = block.first.eps, block.second.eps

    def turns(self, first: int) -> tuple[Tensor, Tensor]:
        """(places, width of a head) what a token is multiplied by, and what its exchanged halves are."""
        cosine, sine = turns(_PLACES, self.width // self.heads, self.look[0], first)
        return torch.cat([cosine, cosine], 1), torch.cat([-sine, sine], 1)

    def __call__(self, values: Tensor, turn: tuple[Tensor, Tensor], keys: Tensor, held: Tensor
                 ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """(batch, width) -> the same shape, and all keys and values, (batch, heads, tokens, width of a head)."""
        asked = torch.addmm(self.look[1], functional.layer_norm(values, (self.width,), eps=self.eps[0]), self.look[0])
        asked = asked.view(len(values), 5, self.heads, 1, -1)
        turned = torch.addcmul(asked[:, :2] * turn[0], asked[:, 3:], turn[1])
        keys, held = torch.cat([keys, turned[:, 1]], 2), torch.cat([held, asked[:, 2]], 2)
        seen = functional.scaled_dot_product_attention(turned[:, 0], keys, held).flatten(1)
        values = torch.addmm(values, seen, self.gather[0]) + self.gather[1]
        wide = torch.addmm(self.wide[1], functional.layer_norm(values, (self.width,), eps=self.eps[1]), self.wide[0])
        return torch.addmm(values, self.between(wide), self.narrow[0]) + self.narrow[1], keys, held


def _behind(norm: nn.LayerNorm, dense: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias of a dense layer that takes what a norm gives before it multiplies and shifts."""
    return dense.weight * norm.weight, dense.bias + dense.weight @ norm.bias


def _laid_out(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    return weight.detach().t().contiguous(), bias.detach().clone()


def _gelu(values: Tensor) -> Tensor:
    """As `functional.gelu`, which takes four times as long for a row."""
    return values * (values * math.sqrt(0.5)).erf_().add_(1.0).mul_(0.5)
