"""Lightning: a module with its step, and the Trainer."""

import logging
import time
import warnings
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.speed.networks import make
from benchmarks.speed.peers.job import LEARNING_RATE, Contender, Job, channels_first, measure, scaled
from benchmarks.speed.peers.photos import photo_loader


class Module(lightning.LightningModule):
    """A network and how it learns."""

    def __init__(self, name: str, shape: tuple[int, ...]):
        super().__init__()
        self.network = make(name, shape)

    def forward(self, x: Tensor) -> Tensor:
        """The network's logits."""
        return self.network(x)

    def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
        """The loss of a batch."""
        x, y = batch
        return functional.cross_entropy(self(x), y)

    def predict_step(self, batch: tuple[Tensor], number: int) -> Tensor:
        """The answers to a batch."""
        return self(batch[0])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)


class Clock(lightning.Callback):
    """Seconds of each epoch; the first begins with the clock."""

    def __init__(self) -> None:
        self.last, self.seconds = time.perf_counter(), list[float]()

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Take the time."""
        now = time.perf_counter()
        self.seconds.append(now - self.last)
        self.last = now


class Lightning(Contender):
    """The Trainer without its files and its progress bar, which would only slow it."""

    libraries = ("lightning", "torch", "numpy")

    def __init__(self, job: Job):
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module="lightning")
        self.module = Module(job.network, job.shape)

    def trainer(self, epochs: int = 1, *callbacks: lightning.Callback) -> lightning.Trainer:
        """A Trainer for some epochs on the processor."""
        return lightning.Trainer(
            max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, callbacks=list(callbacks),
        )  # fmt: skip

    def ready(self, inputs: np.ndarray) -> Tensor:
        return torch.from_numpy(channels_first(scaled(inputs)))

    def train(self, inputs: Any, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        rows = TensorDataset(inputs, torch.from_numpy(targets))
        self.trainer(epochs).fit(self.module, DataLoader(rows, batch_size=batch_size, shuffle=True))

    def learn_folder(self, job: Job) -> list[float]:
        clock = Clock()
        self.trainer(job.epochs, clock).fit(self.module, photo_loader(job.files, job.batch_size))
        return clock.seconds

    def scores(self, inputs: Any) -> np.ndarray:
        self.module.eval()
        if len(inputs) == 1:  # as its guide has it for one answer: the module itself
            with torch.no_grad():
                return self.module(inputs).numpy()
        answers = self.trainer().predict(self.module, DataLoader(TensorDataset(inputs), batch_size=1024))
        return torch.cat(answers).numpy()


if __name__ == "__main__":
    measure(Lightning)
