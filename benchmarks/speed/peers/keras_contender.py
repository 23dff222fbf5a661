"""Keras on any of its backends; `keras_tensorflow.py`, `keras_jax.py` and `keras_torch.py` choose one."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

from benchmarks.speed.keras_networks import make
from benchmarks.speed.keras_text_networks import KERAS_TEXT_NETWORKS, make_text_network
from benchmarks.speed.peers.job import LEARNING_RATE, START, TEMPERATURE, Contender, Job, scaled


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch; the first begins with the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.seconds = time.perf_counter(), list[float]()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Take the time."""
        now = time.perf_counter()
        self.seconds.append(now - self.last)
        self.last = now


class Photos(keras.utils.PyDataset):
    """Batches of a folder, decoded by two threads: what Keras offers on every backend."""

    def __init__(self, folder: Path, batch_size: int):
        super().__init__(workers=2, max_queue_size=4)
        self.files, self.batch_size = sorted(folder.glob("*/*.jpg")), batch_size
        self.random = np.random.default_rng(0)
        self.random.shuffle(self.files)

    def __len__(self) -> int:
        return len(self.files) // self.batch_size

    def __getitem__(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        files = self.files[batch * self.batch_size : (batch + 1) * self.batch_size]
        return np.stack([self.picture(file) for file in files]), np.array([int(file.parent.name) for file in files])

    def on_epoch_end(self) -> None:
        """A new order."""
        self.random.shuffle(self.files)

    def picture(self, file: Path) -> np.ndarray:
        """64x64, mirrored half of the time and moved by up to 4 pixels."""
        loaded = keras.utils.load_img(file, target_size=(64, 64), interpolation="bilinear")
        picture = np.asarray(loaded, dtype=np.float32) / 255
        if self.random.random() < 0.5:
            picture = picture[:, ::-1]
        top, left = self.random.integers(0, 9, 2)
        return np.pad(picture, ((4, 4), (4, 4), (0, 0)), mode="reflect")[top : top + 64, left : left + 64]


class Keras(Contender):
    """`compile`, `fit` and `predict`, as its guides have it."""

    libraries: ClassVar[tuple[str, ...]] = ("keras", "numpy")
    usual_batch_size = 128  # of its first example

    def __init__(self, job: Job):
        keras.utils.set_random_seed(0)
        self.random = np.random.default_rng(0)
        if job.network in KERAS_TEXT_NETWORKS:
            self.network = make_text_network(job.network, Path(job.weights))
            self.model, self.step = self.network.whole, self.compiled(self.network.step)
        else:
            self.model = make(job.network, Path(job.weights), job.shape)
        self.model.compile(keras.optimizers.Adam(LEARNING_RATE), keras.losses.SparseCategoricalCrossentropy(True))

    def ready(self, inputs: np.ndarray) -> Any:
        return scaled(inputs)

    def train(self, inputs: Any, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        self.model.fit(inputs, targets, batch_size=batch_size, epochs=epochs, verbose=0)

    def learn_folder(self, job: Job) -> list[float]:
        clock = Clock()
        self.model.fit(Photos(job.files, job.batch_size), epochs=job.epochs, verbose=0, callbacks=[clock])
        return clock.seconds

    def scores(self, inputs: Any) -> np.ndarray:
        if len(inputs) == 1:  # its guide: call the model for few rows, `predict` is for many
            return keras.ops.convert_to_numpy(self.model(inputs, training=False))
        return self.model.predict(inputs, batch_size=1024, verbose=0)

    def compiled(self, model: Any) -> Callable[[list[Any]], list[Any]]:
        """A model as a function that is called often, as the backend's own guide for writing texts has it."""
        return model

    def write(self, texts: int, count: int) -> np.ndarray:
        """Its guides draw with numpy; the step carries on what was read."""
        last = np.full(texts, START, np.int32)
        state = [np.zeros((texts, *shape), np.float32) for shape in self.network.state]
        written = []
        for place in range(count):
            scores, *state = self.step([last, np.array(place, np.int32), *state])
            scores = keras.ops.convert_to_numpy(scores).astype(np.float64) / TEMPERATURE
            chances = np.exp(scores - scores.max(1, keepdims=True))
            last = self.random.multinomial(1, chances / chances.sum(1, keepdims=True)).argmax(1).astype(np.int32)
            written.append(last)
        return np.stack(written, 1).astype(np.int64)
