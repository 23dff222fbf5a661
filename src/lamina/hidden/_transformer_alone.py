"""A causal transformer that reads one text on in NumPy: the same answers as `go_on` up to rounding.

A block is brought down to few calls. What the norm multiplies by is multiplied into the matrix behind it, matrices lie
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
        self._enter, self._norm, self._window = _laid_out(enter.weight, enter.bias), norm, window
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
            return _normed(values, self._norm.eps) * scale + shift

        return step

    def _turns(self, first: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """For each place from the first on, what a token is multiplied by, and what its exchanged halves are."""
        while True:
            cosine, sine = turns(_PLACES, self._blocks[0].size, torch.empty(0), first)
            yield from zip(torch.cat([cosine, cosine], 1).numpy(), torch.cat([-sine, sine], 1).numpy(), strict=True)
            first += _PLACES


class _Block:
    def __init__(self, block: "Block"):
        wide, self._between, narrow = block.dense
        assert isinstance(wide, nn.Linear) and isinstance(narrow, nn.Linear)
        self._heads, self.size = block.heads, block.gather.in_features // block.heads
        weight, bias = _behind(block.first, block.look)
        # (query key value, heads, halves, half a head): the halves of queries and keys once more, exchanged.
        parts = [part.view(3, self._heads, 2, self.size // 2, -1) for part in (weight, bias[:, None])]
        for part in parts:
            part[0] /= math.sqrt(self.size)
        both = [torch.cat([part, part[:2].flip(2)]).flatten(0, 3) for part in parts]
        self._look, self._gather = _laid_out(both[0], both[1][:, 0]), _laid_out(block.gather.weight, block.gather.bias)
        self._wide = _laid_out(*_behind(block.second, wide))
        self._is_gelu = isinstance(self._between, nn.GELU) and self._between.approximate == "none"
        self._narrow = _laid_out(narrow.weight / 2 if self._is_gelu else narrow.weight, narrow.bias)
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
        query_key, value, exchanged = np.split(asked.reshape(5, self._heads, self.size), [2, 3])
        kept = _Kept(torch.cat([keys, values]).numpy(), window)

        def step(token: np.ndarray, cosine: np.ndarray, sine: np.ndarray) -> np.ndarray:
            np.dot(_normed(token, self._eps[0]), look, out=asked)
            np.add(asked, look_bias, out=asked)
            query, key = query_key * cosine + exchanged * sine
            earlier, held = kept.with_token(key, value[0])
            weights = np.matmul(query[:, None], earlier.swapaxes(1, 2))  # (heads, 1, tokens)
            weights -= np.maximum.reduce(weights, 2, keepdims=True)
            np.exp(weights, out=weights)
            seen = np.matmul(weights, held)
            seen /= np.add.reduce(weights, 2, keepdims=True)
            token = token + np.dot(seen.reshape(-1), gather)
            token += gather_bias
            inner = np.dot(_normed(token, self._eps[1]), wide)
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
    """Keys and values of the last tokens, in an array with room for more."""

    def __init__(self, known: np.ndarray, window: int):
        """From (2, heads, tokens, width of a head)."""
        self._known, self._count, self._window = known, known.shape[2], window

    def with_token(self, key: np.ndarray, value: np.ndarray) -> np.ndarray:
        """(2, heads, tokens, width of a head) with one more token, no more of them than may be looked at."""
        if self._count == self._known.shape[2]:
            last = self._known[:, :, max(self._count - self._window + 1, 0) : self._count]
            self._count = last.shape[2]
            self._known = np.empty((2, len(key), 2 * self._count + _ROOM, key.shape[1]), key.dtype)
            self._known[:, :, : self._count] = last
        self._known[0, :, self._count], self._known[1, :, self._count] = key, value
        self._count += 1
        return self._known[:, :, max(self._count - self._window, 0) : self._count]


def _normed(values: np.ndarray, eps: float) -> np.ndarray:
    """Less their mean, divided by their spread."""
    values = values - np.add.reduce(values) / len(values)
    values *= (float(np.dot(values, values)) / len(values) + eps) ** -0.5
    return values


def _behind(norm: nn.LayerNorm, dense: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias of a dense layer that takes what a norm gives before it multiplies and shifts."""
    return (dense.weight * norm.weight).detach(), (dense.bias + dense.weight @ norm.bias).detach()


def _laid_out(weight: Tensor, bias: Tensor) -> tuple[np.ndarray, np.ndarray]:
    return weight.detach().t().contiguous().numpy(), bias.detach().numpy().copy()
