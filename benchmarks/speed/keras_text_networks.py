"""The networks of `text_networks.py` in Keras, and each a second time as a step from one character to the next."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

# The same sizes as in `text_networks.py`, which needs PyTorch.
TOKENS, WIDTH, HIDDEN = 68, 64, 256
BLOCKS, MODEL, HEADS, DROPOUT = 2, 128, 4, 0.1
KEPT = 256
"""Characters that keys and values are kept of."""


class TextNetwork(NamedTuple):
    """One network in two models of the same layers."""

    whole: Any
    """(batch, places) numbers -> (batch, places, characters) logits."""
    step: Any
    """(batch,) numbers, () the place, and the state -> (batch, characters) logits and the state after."""
    state: tuple[tuple[int, ...], ...]
    """Shapes of the state's arrays, which begin with zeros, for one row."""


def lstm(take: Callable[[Any], Any]) -> TextNetwork:
    """Vectors, one LSTM, a dense layer; `take` gives a layer its weights once it is built."""
    vectors, reader, head = layers.Embedding(TOKENS, WIDTH), layers.LSTM(HIDDEN, return_sequences=True), _dense(TOKENS)
    numbers = keras.Input((None,), dtype="int32")
    whole = keras.Model(numbers, head(reader(vectors(numbers))))
    for layer in (vectors, reader, head):
        take(layer)
    last, place = keras.Input((), dtype="int32"), keras.Input(batch_shape=(), dtype="int32")
    before = [keras.Input((HIDDEN,)), keras.Input((HIDDEN,))]
    read, after = reader.cell(vectors(last), before)
    return TextNetwork(whole, keras.Model([last, place, *before], [head(read), *after]), ((HIDDEN,), (HIDDEN,)))


def transformer(take: Callable[[Any], Any]) -> TextNetwork:
    """A small GPT with rotary positions."""
    vectors, enter, norm, head = layers.Embedding(TOKENS, WIDTH), _dense(MODEL), _norm(), _dense(TOKENS)
    blocks = [(_norm(), _norm(), _dense(3 * MODEL), _dense(MODEL), _dense(4 * MODEL, "gelu"), _dense(MODEL))
              for _ in range(BLOCKS)]  # fmt: skip
    numbers = keras.Input((None,), dtype="int32")
    x = enter(vectors(numbers))
    for block in blocks:
        x = _through(block, x, lambda asked: Attention()(asked))
    whole = keras.Model(numbers, head(norm(x)))
    for layer in (vectors, enter, *(layer for block in blocks for layer in block), norm, head):
        take(layer)
    last, place = keras.Input((), dtype="int32"), keras.Input(batch_shape=(), dtype="int32")
    before = [keras.Input((KEPT, HEADS, MODEL // HEADS)) for _ in range(2 * BLOCKS)]
    x, after = enter(vectors(last))[:, None], []
    for number, block in enumerate(blocks):
        kept = before[2 * number : 2 * number + 2]

        def look(asked: Any, kept: Sequence[Any] = kept) -> Any:
            seen, keys, values = LookBack()(asked, place, *kept)
            after.extend([keys, values])
            return seen

        x = _through(block, x, look)
    shape = (KEPT, HEADS, MODEL // HEADS)
    step = keras.Model([last, place, *before], [head(norm(x))[:, 0], *after])
    return TextNetwork(whole, step, (shape,) * (2 * BLOCKS))


def _dense(width: int, activation: str | None = None) -> Any:
    # Keras's own "gelu" is exact, as PyTorch's.
    return layers.Dense(width, activation)


def _norm() -> Any:
    return layers.LayerNormalization(epsilon=1e-5)


def _through(block: Sequence[Any], x: Any, look: Callable[[Any], Any]) -> Any:
    first, second, asks, gathers, wide, narrow = block
    x = x + layers.Dropout(DROPOUT)(gathers(look(asks(first(x)))))
    return x + layers.Dropout(DROPOUT)(narrow(wide(second(x))))


def _heads(asked: Any, places: Any) -> tuple[Any, Any, Any]:
    """Queries and keys, rotated, and values: (batch, places, heads, width of a head) each."""
    width = MODEL // HEADS
    batch, count = ops.shape(asked)[0], ops.shape(asked)[1]
    query, key, value = ops.unstack(ops.reshape(asked, (batch, count, 3, HEADS, width)), 3, axis=2)
    speeds = 10_000.0 ** (-np.arange(0, width, 2) / width).astype("float32")
    angles = (ops.cast(places, "float32")[:, None] * speeds)[None, :, None]
    cosine, sine = ops.cos(angles), ops.sin(angles)

    def rotated(x: Any) -> Any:
        left, right = x[..., : width // 2], x[..., width // 2 :]
        return ops.concatenate([left * cosine - right * sine, right * cosine + left * sine], -1)

    return rotated(query), rotated(key), value


class Attention(layers.Layer):
    """(batch, places, 3 * width) what each asks, is found by and tells -> (batch, places, width), looking back."""

    def call(self, asked: Any) -> Any:
        """All places at once."""
        query, key, value = _heads(asked, ops.arange(ops.shape(asked)[1]))
        seen = ops.dot_product_attention(query, key, value, is_causal=True)
        return ops.reshape(seen, (ops.shape(asked)[0], ops.shape(asked)[1], MODEL))


class LookBack(layers.Layer):
    """The same for one place, whose key and value are written beside those kept before."""

    def call(self, asked: Any, place: Any, keys: Any, values: Any) -> Any:
        """(batch, 1, width), keys and values."""
        query, key, value = _heads(asked, ops.reshape(place, (1,)))
        here = (ops.arange(KEPT) == place)[None, :, None, None]  # `slice_update` does not go with every backend here
        keys, values = ops.where(here, key, keys), ops.where(here, value, values)
        seen = ops.dot_product_attention(query, keys, values, mask=(ops.arange(KEPT) <= place)[None, None, None])
        return ops.reshape(seen, (ops.shape(asked)[0], 1, MODEL)), keys, values

    def compute_output_spec(self, asked: Any, place: Any, keys: Any, values: Any) -> Any:
        """What `call` gives, for Keras to know without calling."""
        return keras.KerasTensor((None, 1, MODEL)), keras.KerasTensor(keys.shape), keras.KerasTensor(values.shape)


Make = Callable[[Callable[[Any], Any]], TextNetwork]
KERAS_TEXT_NETWORKS: dict[str, Make] = {"lstm": lstm, "transformer": transformer}


def make_text_network(name: str, weights: Path) -> TextNetwork:
    """A network with the weights of PyTorch in `weights`."""
    with np.load(weights) as kept:
        arrays = [kept[key] for key in kept.files]

    def take(layer: Any) -> None:
        count = 4 if isinstance(layer, layers.LSTM) else len(layer.get_weights())
        mine, arrays[:] = arrays[:count], arrays[count:]
        if isinstance(layer, layers.LSTM):  # one bias where PyTorch has two that are added
            layer.set_weights([mine[0].T, mine[1].T, mine[2] + mine[3]])
        else:
            layer.set_weights([array.T if isinstance(layer, layers.Dense) else array for array in mine])

    made = KERAS_TEXT_NETWORKS[name](take)
    assert not arrays, "Keras and PyTorch have the same number of weights"
    return made
