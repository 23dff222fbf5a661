"""Lamina, through `lamina.fit`: the one contender that imports it."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import lamina
from benchmarks.speed.networks import make
from benchmarks.speed.peers.job import LEARNING_RATE, Contender, Job, channels_first, measure, scaled
from lamina.api import ModuleRun


class Lamina(Contender):
    """The settings are those that make the training the same as everyone's: Adam, constant rate, nothing clipped."""

    libraries = ("torch", "numpy")

    def __init__(self, job: Job):
        self.run = ModuleRun(make(job.network).eval(), functional.cross_entropy, float("nan"), "", [])

    def ready(self, inputs: np.ndarray) -> Tensor:
        return torch.from_numpy(channels_first(scaled(inputs)))

    def train(self, inputs: Tensor, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        answers = torch.from_numpy(targets)
        # Nobody else judges while training: one row, once.
        self.run = lamina.fit(
            self.run.network, (inputs, answers), valid=(inputs[:1], answers[:1]), quiet=True,
            epochs=epochs, batch_size=batch_size, judge_every=epochs * -(-len(inputs) // batch_size),
            optimizer="adam", learning_rate=LEARNING_RATE, schedule="constant", warmup=0.0, weight_decay=0.0, clip=0.0,
        )  # fmt: skip

    def scores(self, inputs: Tensor) -> np.ndarray:
        return self.run.predict(inputs).numpy()


if __name__ == "__main__":
    measure(Lamina)
