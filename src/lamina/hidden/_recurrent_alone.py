"""Recurrent layers that read one text on in NumPy: the same answers as `go_on` up to rounding.

Every array that a step writes to is made once; weights lie as a row times a matrix reads them.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lamina.hidden.contract import State, Step


def recurrent_alone(readers: Sequence[nn.RNNBase]) -> Callable[[State], Step]:
    """From a state of one row, layers on top of each other that take one token after the other."""
    begin = [_BEGIN[type(reader)](reader) for reader in readers]

    def read_on(state: State) -> Step:
        share = len(state) // len(begin)
        known = [each[0, 0].numpy().copy() for each in state]
        steps = [one(*known[share * place : share * (place + 1)]) for place, one in enumerate(begin)]

        def step(values: np.ndarray) -> np.ndarray:
            for one in steps:
                values = one(values)
            return values

        return step

    return read_on


def _lstm(reader: nn.RNNBase) -> Callable[..., Step]:
    size = reader.hidden_size
    weights, biases = (_weights(reader, kind) for kind in ("weight", "bias"))
    # The three gates side by side, and halved: a sigmoid is half a tanh of the half, so one call does all four.
    enter, forget, new, leave = torch.cat([torch.cat(weights, 1), sum(biases)[:, None]], 1).chunk(4)  # type: ignore[index]
    whole = torch.cat([enter / 2, forget / 2, leave / 2, new])
    weight, bias = _laid_out(whole[:, :-1]), whole[:, -1].numpy().copy()

    def begin(hidden: np.ndarray, cell: np.ndarray) -> Step:
        given, found = np.concatenate([np.empty(len(weight) - size, weight.dtype), hidden]), np.empty_like(bias)
        into, held = given[:-size], given[-size:]
        enter, forget, leave, new = found.reshape(4, size)
        gates = found[: 3 * size]

        def step(values: np.ndarray) -> np.ndarray:
            into[:] = values
            np.dot(given, weight, out=found)
            np.add(found, bias, out=found)
            np.tanh(found, out=found)
            np.multiply(gates, 0.5, out=gates)
            np.add(gates, 0.5, out=gates)
            np.multiply(cell, forget, out=cell)
            np.multiply(new, enter, out=new)
            np.add(cell, new, out=cell)
            np.tanh(cell, out=new)
            return np.multiply(leave, new, out=held)

        return step

    return begin


def _gru(reader: nn.RNNBase) -> Callable[..., Step]:
    size = reader.hidden_size
    from_input, from_hidden = map(_laid_out, _weights(reader, "weight"))
    input_bias, hidden_bias = (bias.numpy() for bias in _weights(reader, "bias"))

    def begin(hidden: np.ndarray) -> Step:
        def step(values: np.ndarray) -> np.ndarray:
            asked = np.dot(values, from_input) + input_bias
            held = np.dot(hidden, from_hidden) + hidden_bias
            reset, keep = 0.5 * np.tanh(0.5 * (asked[: 2 * size] + held[: 2 * size])).reshape(2, size) + 0.5
            new = np.tanh(asked[2 * size :] + reset * held[2 * size :])
            return np.add(new, keep * (hidden - new), out=hidden)

        return step

    return begin


def _rnn(reader: nn.RNNBase) -> Callable[..., Step]:
    from_input, from_hidden = map(_laid_out, _weights(reader, "weight"))
    bias = sum(_weights(reader, "bias")).numpy()  # type: ignore[union-attr]

    def begin(hidden: np.ndarray) -> Step:
        return lambda values: np.tanh(np.dot(values, from_input) + np.dot(hidden, from_hidden) + bias, out=hidden)

    return begin


_BEGIN: dict[type[nn.RNNBase], Callable[[nn.RNNBase], Callable[..., Step]]] = {
    nn.LSTM: _lstm, nn.GRU: _gru, nn.RNN: _rnn,
}  # fmt: skip


def _weights(reader: nn.RNNBase, kind: str) -> list[Tensor]:
    """Of the input and of what is carried on."""
    return [reader.get_parameter(f"{kind}_{part}_l0").detach() for part in ("ih", "hh")]


def _laid_out(weight: Tensor) -> np.ndarray:
    return weight.t().contiguous().numpy()
