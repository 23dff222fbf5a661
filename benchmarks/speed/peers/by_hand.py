"""A training loop as people write it after the PyTorch tutorials: Dataset, DataLoader, for, backward, step."""

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmarks.speed.networks import make
from benchmarks.speed.peers.job import LEARNING_RATE, START, TEMPERATURE, Contender, Job, measure
from benchmarks.speed.peers.photos import photo_loader


class Rows(Dataset):
    """Rows in memory; a picture becomes a tensor when it is asked for, as torchvision's `ToTensor` does."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray | None = None):
        self.inputs, self.targets = inputs, targets

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, row: int) -> tuple[Tensor, int | np.ndarray]:
        x = torch.from_numpy(self.inputs[row])
        if x.dtype == torch.uint8:
            x = x.permute(2, 0, 1).float().div(255)
        return x, 0 if self.targets is None else self.targets[row]


class ByHand(Contender):
    """Nothing but PyTorch."""

    libraries = ("torch", "numpy")

    def __init__(self, job: Job):
        self.network = make(job.network, job.shape, job.weights if job.kind == "writing" else "")
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE)

    def ready(self, inputs: np.ndarray) -> Any:
        return inputs

    def train(self, inputs: Any, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        loader = DataLoader(Rows(inputs, targets), batch_size=batch_size, shuffle=True)
        self.network.train()
        for _ in range(epochs):
            for x, y in loader:
                self.optimizer.zero_grad()
                loss = self.loss(self.network(x), y)
                loss.backward()
                self.optimizer.step()

    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Cross entropy; every character of a text is a class to tell."""
        return functional.cross_entropy(scores.flatten(0, -2), targets.flatten())

    def learn_folder(self, job: Job) -> list[float]:
        start = time.perf_counter()
        loader = photo_loader(job.files, job.batch_size)
        self.network.train()
        ends = [start]
        for _ in range(job.epochs):
            for x, y in loader:
                self.optimizer.zero_grad()
                loss = self.loss(self.network(x), y)
                loss.backward()
                self.optimizer.step()
            ends.append(time.perf_counter())
        return np.diff(ends).tolist()

    def scores(self, inputs: Any) -> np.ndarray:
        self.network.eval()
        with torch.no_grad():
            if len(inputs) == 1:
                return self.network(Rows(inputs)[0][0][None]).numpy()
            return torch.cat([self.network(x) for x, _ in DataLoader(Rows(inputs), batch_size=1024)]).numpy()

    @torch.no_grad()
    def write(self, texts: int, count: int) -> np.ndarray:
        self.network.eval()
        last, state, written = torch.full((texts, 1), START), None, []
        for _ in range(count):
            scores, state = self.network.go_on(last, state)  # type: ignore[operator]
            chances = torch.softmax(scores[:, -1] / TEMPERATURE, dim=-1)
            last = torch.multinomial(chances, num_samples=1)
            written.append(last)
        return torch.cat(written, dim=1).numpy()


if __name__ == "__main__":
    measure(ByHand)
