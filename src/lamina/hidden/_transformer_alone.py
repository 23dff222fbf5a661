"""A causal transformer that reads one text on in NumPy: the same answers as `go_on` up to rounding.

A block is brought down to few calls. All that reads what stands between blocks takes its mean away first, so what
writes there is made to leave no mean. What a norm multiplies by is multiplied into the matrix behind it, matrices lie
as a row times a matrix reads them, and the queries and keys whose halves are exchanged, which rotation needs, come out
of the same product.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from lamina.ground.rotation import turns
from lamina.hidden.contract import State, Step

if TYPE_CHECKING:
    from lamina.hidden.transformer import Block

_PLACES = 1024
"""Places whose rotation is worked out at a time."""
_ROOM = 64
"""Tokens more than twice those that are kept, for which room is made at a time."""


class TransformerAlone:
    """From a state of one row, a transformer's parts as a function of one token after the other."""

    def __init__(self, enter: nn.Linear, blocks: "Sequence[Block]", norm: nn.LayerNorm, window: int):
        """A copy of the weights, which must not learn any more."""
        self._enter, self._norm, self._window = _without_mean(enter.weight, enter.bias), norm, window
        self._blocks = [_Block(block) for block in blocks]

    def __call__(self, state: State) -> Step:
        (weight, bias), places = self._enter, self._turns(int(state[0]))
        scale, shift = (each.detach().numpy() for each in (self._norm.weight, self._norm.bias))
        steps = [block.begin(state[1 + 2 * number], state[2 + 2 * number], self._window)
                 for number, block in enumerate(self._blocks)]  # fmt: skip

        def step(values: np.ndarray) -> np.ndarray:
            values = np.dot(values, weight) + bias
            cosine, sine = next(places)
            for one in steps:
                values = one(values, cosine, sine)
            return values * _spread(values, self._norm.eps) * scale + shift

        return step

    def _turns(self, first: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """For each place from `first` on, what queries and keys are multiplied by, and what their halves exchanged."""
        heads, size = self._blocks[0].heads, self._blocks[0].size
        while True:
            cosine, sine = turns(_PLACES, size, torch.empty(0), first)
            both = torch.cat([cosine, cosine], 1), torch.cat([-sine, sine], 1)
            yield from zip(*(each.repeat(1, 2 * heads).numpy() for each in both), strict=True)
            first += _PLACES


class _Block:
    def __init__(self, block: "Block"):
        wide, self._between, narrow = block.dense
        assert isinstance(wide, nn.Linear) and isinstance(narrow, nn.Linear)
        self.heads, self.size = block.heads, block.gather.in_features // block.heads
        weight, bias = _behind(block.first, block.look)
        # (query key value, heads, halves, half a head): the halves of queries and keys once more, exchanged.
        parts = [part.view(3, self.heads, 2, self.size // 2, -1) for part in (weight, bias[:, None])]
        for part in parts:
            part[0] /= math.sqrt(self.size)
        both = [torch.cat([part, part[:2].flip(2)]).flatten(0, 3) for part in parts]
        self._look = _laid_out(both[0], both[1][:, 0])
        self._gather = _without_mean(block.gather.weight, block.gather.bias)
        self._wide = _laid_out(*_behind(block.second, wide))
        self._is_gelu = isinstance(self._between, nn.GELU) and self._between.approximate == "none"
        self._narrow = _without_mean(narrow.weight / 2 if self._is_gelu else narrow.weight, narrow.bias)
        self._eps = block.first.eps, block.second.eps

    def begin(
        self, keys: Tensor, values: Tensor, window: int
    ) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
        """(width,) and its rotation to (width,), after what was kept, (1, heads, tokens, width of a head)."""
        look, look_bias = self._look
        gather, gather_bias = self._gather
        wide, wide_bias = self._wide
        narrow, narrow_bias = self._narrow
        asked, between = np.empty_like(look_bias), self._activation(len(wide_bias))
        query_key, value, exchanged = np.split(asked, [2 * len(gather_bias), 3 * len(gather_bias)])
        value = value.reshape(self.heads, self.size)
        kept = _Kept(keys[0].numpy(), values[0].numpy(), window)

        def step(token: np.ndarray, cosine: np.ndarray, sine: np.ndarray) -> np.ndarray:
            np.dot(token, look, out=asked)
            np.multiply(asked, _spread(token, self._eps[0]), out=asked)
            np.add(asked, look_bias, out=asked)
            turned = query_key * cosine
            turned += exchanged * sine
            query, key = turned.reshape(2, self.heads, self.size)
            earlier, held = kept.with_token(key, value)
            weights = np.matmul(query[:, None], earlier)  # (heads, 1, tokens)
            weights -= np.maximum.reduce(weights, 2, keepdims=True)
            np.exp(weights, out=weights)
            seen = np.matmul(weights, held)
            seen /= np.add.reduce(weights, 2, keepdims=True)
            token = token + np.dot(seen.reshape(-1), gather)
            token += gather_bias
            inner = np.dot(token, wide)
            inner *= _spread(token, self._eps[1])
            inner += wide_bias
            token += np.dot(between(inner), narrow)
            return np.add(token, narrow_bias, out=token)

        return step

    def _activation(self, width: int) -> Callable[[np.ndarray], np.ndarray]:
        if not self._is_gelu:
            return lambda values: self._between(torch.from_numpy(values)).numpy()
        inner = torch.empty(width)
        shared = inner.numpy()

        def twice_gelu(values: np.ndarray) -> np.ndarray:
            """NumPy has no error function; the half of it is in the weights behind."""
            np.multiply(values, math.sqrt(0.5), out=shared)
            inner.erf_()
            np.add(shared, 1.0, out=shared)
            return np.multiply(shared, values, out=shared)

        return twice_gelu


class _Kept:
    """Keys and values of the last tokens, in arrays with room for more; keys lie as a query reads them."""

    def __init__(self, keys: np.ndarray, values: np.ndarray, window: int):
        """From (heads, tokens, width of a head) each."""
        self._keys, self._values = keys.swapaxes(1, 2), values
        self._count, self._window = values.shape[1], window

    def with_token(self, key: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(heads, width of a head, tokens) and (heads, tokens, width of a head) with one more token.

        There are no more of them than may be looked at.
        """
        if self._count == self._values.shape[1]:
            self._make_room()
        self._keys[:, :, self._count], self._values[:, self._count] = key, value
        self._count += 1
        some = slice(max(self._count - self._window, 0), self._count)
        return self._keys[:, :, some], self._values[:, some]

    def _make_room(self) -> None:
        last = slice(max(self._count - self._window + 1, 0), self._count)
        keys, values = self._keys[:, :, last], self._values[:, last]
        heads, self._count, size = values.shape
        room = 2 * self._count + _ROOM
        self._keys, self._values = np.empty((heads, size, room), keys.dtype), np.empty((heads, room, size), keys.dtype)
        self._keys[:, :, : self._count], self._values[:, : self._count] = keys, values


def _spread(values: np.ndarray, eps: float) -> float:
    """What a norm multiplies values by whose mean is 0."""
    return float((float(np.dot(values, values)) / len(values) + eps) ** -0.5)


def _behind(norm: nn.LayerNorm, dense: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias of a dense layer that takes what a norm gives before it multiplies and shifts."""
    return (dense.weight * norm.weight).detach(), (dense.bias + dense.weight @ norm.bias).detach()


def _without_mean(weight: Tensor, bias: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Of a dense layer, so that its answers have a mean of 0."""
    return _laid_out(weight - weight.mean(0), bias - bias.mean())


def _laid_out(weight: Tensor, bias: Tensor) -> tuple[np.ndarray, np.ndarray]:
    return weight.detach().t().contiguous().numpy(), bias.detach().numpy().copy()
