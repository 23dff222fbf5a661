"""Keras on TensorFlow."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # read when Keras is first imported

from benchmarks.speed.peers.job import measure
from benchmarks.speed.peers.keras_contender import Keras


class KerasTensorFlow(Keras):
    """The same code on this backend."""

    libraries = (*Keras.libraries, "tensorflow-cpu")


if __name__ == "__main__":
    measure(KerasTensorFlow)
