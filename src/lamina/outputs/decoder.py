"""A transformer that writes: it looks at what it has written so far and at features of something else."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.ground.dropout import Dropout
from lamina.ground.rotation import turned, turns
from lamina.ground.shapes import Features

State = tuple[Tensor, ...]
"""(batch, 1, 1, tokens) which features are true, (batch, 1) tokens written, and for each block the keys and values of
the features and of what was written."""


class Decoder(nn.Module):
    """Tokens written so far, and features -> scores of the next token, for each place."""

    def __init__(self, size: int, reads: int, width: int, num_layers: int, heads: int, dropout: float):
        """For `size` tokens and features of the width `reads`."""
        super().__init__()
        self.vectors = nn.Embedding(size, width)
        nn.init.normal_(self.vectors.weight, std=width**-0.5)
        self.blocks = nn.ModuleList(_Block(reads, width, heads, dropout) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(size))
        self.dropout = Dropout(dropout)
        self.width, self.heads = width, heads

    def forward(self, numbers: Tensor, features: Features) -> Tensor:
        """(batch, tokens) -> (batch, tokens, width); `scores` makes scores of what is wanted of them."""
        state = self.start(features)
        angles = turns(numbers.shape[1], self.width // self.heads, features.values)
        values = self.dropout(self._looked_up(numbers))
        for block, (keys, held) in zip(self.blocks, _pairs(state[2:], 4), strict=True):
            values, _ = block(values, state[0], keys, held, angles, None)
        return values

    def start(self, features: Features) -> State:
        """The state before the first token."""
        batch, count, _ = features.values.shape
        places = torch.arange(count, device=features.values.device)
        lengths = features.lengths
        true = torch.ones(batch, count, dtype=torch.bool, device=places.device) if lengths is None else (
            places < lengths.clamp(min=1)[:, None]
        )  # fmt: skip
        kept: list[Tensor] = [true[:, None, None], places.new_zeros(batch, 1)]
        for block in self.blocks:
            keys, values = block.seen(features.values)  # type: ignore[operator]
            nothing = keys[:, :, :0]
            kept += [keys, values, nothing, nothing]
        return tuple(kept)

    def step(self, state: State, last: Tensor) -> tuple[Tensor, State]:
        """One token more, (batch,): (batch, vocabulary) scores, and the state after it."""
        place = int(state[1][0])
        angles = turns(1, self.width // self.heads, state[2], place)
        values = self._looked_up(last[:, None])
        kept: list[Tensor] = [state[0], state[1] + 1]
        for number, block in enumerate(self.blocks):
            keys, held, own_keys, own_values = state[2 + 4 * number : 6 + 4 * number]
            values, own = block(values, state[0], keys, held, angles, (own_keys, own_values))
            kept += [keys, held, *own]
        return self.scores(values)[:, -1], tuple(kept)

    def _looked_up(self, numbers: Tensor) -> Tensor:
        return self.vectors(numbers) * self.width**0.5

    def scores(self, values: Tensor) -> Tensor:
        """(..., width) -> (..., vocabulary)."""
        return functional.linear(self.norm(values), self.vectors.weight, self.bias)


class _Block(nn.Module):
    """Attention to what was written, attention to the features, then two dense layers."""

    def __init__(self, reads: int, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.first, self.second, self.third = (nn.LayerNorm(width) for _ in range(3))
        self.look, self.gather = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.ask, self.answer, self.join = nn.Linear(width, width), nn.Linear(reads, 2 * width), nn.Linear(width, width)
        self.dense = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.dropout = Dropout(dropout)

    def seen(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of features, (batch, heads, tokens, width of a head) each."""
        keys, values = self.answer(features).chunk(2, -1)
        return self._by_head(keys), self._by_head(values)

    def forward(self, values: Tensor, true: Tensor, keys: Tensor, held: Tensor, angles: tuple[Tensor, Tensor],
                own: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:  # fmt: skip
        """(batch, tokens, width) -> the same shape, and the keys and values of all that was written.

        Args:
            true: which features are no padding.
            keys: of the features.
            held: values of the features.
            angles: the rotation of each token's place.
            own: keys and values of tokens written before, which are one each time; None where all are given at once.
        """
        query, key, value = (self._by_head(part) for part in self.look(self.first(values)).chunk(3, -1))
        query, key = turned(query, angles), turned(key, angles)
        if own is not None:
            key, value = torch.cat([own[0], key], 2), torch.cat([own[1], value], 2)
        written = functional.scaled_dot_product_attention(query, key, value, is_causal=own is None)
        values = values + self.dropout(self.gather(_joined(written)))
        asked = self._by_head(self.ask(self.second(values)))
        read = functional.scaled_dot_product_attention(asked, keys, held, attn_mask=true)
        values = values + self.dropout(self.join(_joined(read)))
        return values + self.dropout(self.dense(self.third(values))), (key, value)

    def _by_head(self, values: Tensor) -> Tensor:
        batch, count, width = values.shape
        return values.reshape(batch, count, self.heads, width // self.heads).transpose(1, 2)


def _joined(values: Tensor) -> Tensor:
    return values.transpose(1, 2).flatten(2)


def _pairs(state: State, each: int) -> list[tuple[Tensor, Tensor]]:
    return [(state[start], state[start + 1]) for start in range(0, len(state), each)]
