"""Keras on PyTorch."""

import os

os.environ["KERAS_BACKEND"] = "torch"  # read when Keras is first imported

from benchmarks.speed.peers.job import measure
from benchmarks.speed.peers.keras_contender import Keras


class KerasPyTorch(Keras):
    """The same code on this backend."""

    libraries = (*Keras.libraries, "torch")


if __name__ == "__main__":
    measure(KerasPyTorch)
