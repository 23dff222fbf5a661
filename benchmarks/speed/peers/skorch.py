"""skorch: PyTorch behind scikit-learn's interface."""

import time
from typing import Any

import numpy as np
import torch
from skorch import NeuralNetClassifier

from benchmarks.speed.networks import make
from benchmarks.speed.peers.job import LEARNING_RATE, Contender, Job, channels_first, measure, scaled
from benchmarks.speed.peers.photos import WORKERS, Photos


class Skorch(Contender):
    """`NeuralNetClassifier` without its held-out rows and its printing, which nobody else has here."""

    libraries = ("skorch", "torch", "numpy")
    usual_batch_size = 128  # its default

    def __init__(self, job: Job):
        reading = {"iterator_train__num_workers": WORKERS, "iterator_train__drop_last": True}
        self.classifier = NeuralNetClassifier(
            make, module__name=job.network, module__shape=job.shape,
            criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.Adam,
            lr=LEARNING_RATE, iterator_train__shuffle=True, iterator_valid__batch_size=1024, train_split=None,
            verbose=0, **(reading if job.kind == "folder" else {}),
        ).initialize()  # fmt: skip

    def ready(self, inputs: np.ndarray) -> Any:
        return channels_first(scaled(inputs))

    def train(self, inputs: Any, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        self.classifier.set_params(batch_size=batch_size)
        self.classifier.partial_fit(inputs, targets, classes=np.unique(targets), epochs=epochs)

    def learn_folder(self, job: Job) -> list[float]:
        self.classifier.set_params(batch_size=job.batch_size)
        rows, seconds = Photos(job.files), []
        for _ in range(job.epochs):
            start = time.perf_counter()
            self.classifier.partial_fit(rows, y=None, classes=np.arange(10), epochs=1)
            seconds.append(time.perf_counter() - start)
        return seconds

    def scores(self, inputs: Any) -> np.ndarray:
        return np.log(self.classifier.predict_proba(inputs) + 1e-30)


if __name__ == "__main__":
    measure(Skorch)
