"""Keras on PyTorch."""

import os
from collections.abc import Callable
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"  # read when Keras is first imported

import torch

from benchmarks.speed.peers.job import measure
from benchmarks.speed.peers.keras_contender import Keras


class KerasPyTorch(Keras):
    """The same code on this backend."""

    libraries = (*Keras.libraries, "torch")

    def compiled(self, model: Any) -> Callable[[list[Any]], list[Any]]:
        return torch.no_grad()(lambda inputs: model([torch.as_tensor(each) for each in inputs]))


if __name__ == "__main__":
    measure(KerasPyTorch)
