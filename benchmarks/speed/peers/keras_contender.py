"""Keras on any of its backends; `keras_tensorflow.py`, `keras_jax.py` and `keras_torch.py` choose one."""

from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

from benchmarks.speed.keras_networks import make
from benchmarks.speed.peers.job import LEARNING_RATE, Contender, Job, scaled


class Keras(Contender):
    """`compile`, `fit` and `predict`, as its guides have it."""

    libraries: ClassVar[tuple[str, ...]] = ("keras", "numpy")
    usual_batch_size = 128  # of its first example

    def __init__(self, job: Job):
        keras.utils.set_random_seed(0)
        self.model = make(job.network, Path(job.weights), job.shape)
        self.model.compile(keras.optimizers.Adam(LEARNING_RATE), keras.losses.SparseCategoricalCrossentropy(True))

    def ready(self, inputs: np.ndarray) -> Any:
        return scaled(inputs)

    def train(self, inputs: Any, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        self.model.fit(inputs, targets, batch_size=batch_size, epochs=epochs, verbose=0)

    def scores(self, inputs: Any) -> np.ndarray:
        if len(inputs) == 1:  # its guide: call the model for few rows, `predict` is for many
            return keras.ops.convert_to_numpy(self.model(inputs, training=False))
        return self.model.predict(inputs, batch_size=1024, verbose=0)
