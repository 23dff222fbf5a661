"""Keras on JAX."""

import os

os.environ["KERAS_BACKEND"] = "jax"  # read when Keras is first imported

from benchmarks.speed.peers.job import measure
from benchmarks.speed.peers.keras_contender import Keras


class KerasJAX(Keras):
    """The same code on this backend."""

    libraries = (*Keras.libraries, "jax")


if __name__ == "__main__":
    measure(KerasJAX)
