"""Keras on JAX."""

import os
from collections.abc import Callable
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"  # read when Keras is first imported

import jax

from benchmarks.speed.peers.job import measure
from benchmarks.speed.peers.keras_contender import Keras


class KerasJAX(Keras):
    """The same code on this backend."""

    libraries = (*Keras.libraries, "jax")

    def compiled(self, model: Any) -> Callable[[list[Any]], list[Any]]:
        step = jax.jit(lambda learned, others, inputs: model.stateless_call(learned, others, inputs)[0])
        learned, others = ([variable.value for variable in some]
                           for some in (model.trainable_variables, model.non_trainable_variables))  # fmt: skip
        return lambda inputs: step(learned, others, inputs)


if __name__ == "__main__":
    measure(KerasJAX)
