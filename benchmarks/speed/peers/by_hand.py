"""A training loop as people write it after the PyTorch tutorials: Dataset, DataLoader, for, backward, step."""

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.speed.networks import make
from benchmarks.speed.peers.job import LEARNING_RATE, Contender, Job, measure
from benchmarks.speed.peers.photos import photo_loader


class Rows(Dataset):
    """Rows in memory; a picture becomes a tensor when it is asked for, as torchvision's `ToTensor` does."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray | None = None):
        self.inputs, self.targets = inputs, targets

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        x = torch.from_numpy(self.inputs[row])
        if x.dtype == torch.uint8:
            x = x.permute(2, 0, 1).float().div(255)
        return x, 0 if self.targets is None else int(self.targets[row])


class ByHand(Contender):
    """Nothing but PyTorch."""

    libraries = ("torch", "numpy")

    def __init__(self, job: Job):
        self.network = make(job.network, job.shape)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE)
        self.loss = nn.CrossEntropyLoss()

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


if __name__ == "__main__":
    measure(ByHand)
