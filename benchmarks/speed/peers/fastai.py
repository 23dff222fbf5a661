"""fastai: DataLoaders and a Learner."""

import time
from typing import Any

import numpy as np
import torch
from fastai.callback import progress, schedule  # noqa: F401  # they give Learner `no_bar` and `fit_one_cycle`
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import Adam
from torch import Tensor, nn
from torch.utils.data import Subset, TensorDataset

from benchmarks.speed.networks import make
from benchmarks.speed.peers.job import LEARNING_RATE, Contender, Job, channels_first, measure, scaled
from benchmarks.speed.peers.photos import WORKERS, Photos


class Fastai(Contender):
    """A Learner that trains at a constant rate, without its bar; it judges each epoch, here on a single row."""

    libraries = ("fastai", "torch", "numpy")

    def __init__(self, job: Job):
        self.network = make(job.network, job.shape)
        self.by_default = job.kind == "reach"

    def ready(self, inputs: np.ndarray) -> Tensor:
        return torch.from_numpy(channels_first(scaled(inputs)))

    def learner(self, inputs: Tensor, targets: np.ndarray, batch_size: int) -> Learner:
        """A Learner for these rows."""
        rows = TensorDataset(inputs, torch.from_numpy(targets))
        held = TensorDataset(inputs[:1], torch.from_numpy(targets[:1]))
        loaders = DataLoaders.from_dsets(rows, held, bs=batch_size, device=torch.device("cpu"))
        if self.by_default:
            return Learner(loaders, self.network, nn.CrossEntropyLoss())
        return Learner(loaders, self.network, nn.CrossEntropyLoss(), opt_func=Adam, lr=LEARNING_RATE, wd=0.0)

    def train(self, inputs: Any, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        learner = self.learner(inputs, targets, batch_size)
        with learner.no_bar(), learner.no_logging():
            # One cycle is what its guide begins with; each call is a cycle of its own.
            learner.fit_one_cycle(epochs) if self.by_default else learner.fit(epochs)

    def learn_folder(self, job: Job) -> list[float]:
        start = time.perf_counter()
        rows = Photos(job.files)
        loaders = DataLoaders.from_dsets(rows, Subset(rows, [0]), bs=job.batch_size, num_workers=WORKERS,
                                         device=torch.device("cpu"))  # fmt: skip
        learner = Learner(loaders, self.network, nn.CrossEntropyLoss(), opt_func=Adam, lr=LEARNING_RATE, wd=0.0)
        ends = [start]
        with learner.no_bar(), learner.no_logging():
            for _ in range(job.epochs):
                learner.fit(1)
                ends.append(time.perf_counter())
        return np.diff(ends).tolist()

    def scores(self, inputs: Any) -> np.ndarray:
        if len(inputs) == 1:  # nobody makes a DataLoader for one row
            with torch.no_grad():
                return self.network.eval()(inputs).numpy()
        learner = self.learner(inputs[:1], np.zeros(1, np.int64), 1024)
        answers = torch.zeros(len(inputs), dtype=torch.int64)
        loader = learner.dls.valid.new(TensorDataset(inputs, answers), bs=1024)
        with learner.no_bar(), learner.no_logging():
            return learner.get_preds(dl=loader, act=nn.Identity())[0].numpy()


if __name__ == "__main__":
    measure(Fastai)
