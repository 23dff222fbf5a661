"""The same loop tuned by an expert: data in memory, channels last, fused Adam, compiled, bfloat16 where it is fast."""

import shutil
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.speed.networks import make
from benchmarks.speed.peers.job import LEARNING_RATE, Contender, Job, channels_first, measure, scaled


def has_matrix_units() -> bool:
    """Whether the processor multiplies bfloat16 in matrix units; without them bfloat16 is slower than float32."""
    return "amx_bf16" in Path("/proc/cpuinfo").read_text()


def precision() -> AbstractContextManager[Any]:
    """The numbers to compute in."""
    return torch.autocast("cpu", torch.bfloat16) if has_matrix_units() else nullcontext()


class Tuned(Contender):
    """PyTorch with everything that its performance guide recommends for training on a processor."""

    libraries = ("torch", "numpy")

    def __init__(self, job: Job):
        torch.set_flush_denormal(True)
        self.network: nn.Module = make(job.network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE, fused=True)
        # Compiling takes a minute, which pays where many rows follow; judging a training must not compile once more.
        compiler = shutil.which("g++") or shutil.which("clang++")
        compiled = torch.compile(self.network) if compiler else self.network
        self.learning = compiled if job.kind == "training" else self.network
        self.answering = compiled if job.kind == "throughput" else self.network

    def ready(self, inputs: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(channels_first(scaled(inputs)))
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor

    def train(self, inputs: Any, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        answers = torch.from_numpy(targets)
        self.network.train()
        for _ in range(epochs):
            for rows in torch.randperm(len(inputs)).split(batch_size):
                with precision():
                    loss = functional.cross_entropy(self.learning(inputs[rows]).float(), answers[rows])
                loss.backward()
                self.optimizer.step()
                self.optimizer.zero_grad(set_to_none=True)

    def scores(self, inputs: Any) -> np.ndarray:
        self.network.eval()
        with torch.inference_mode(), precision():
            return torch.cat([self.answering(x).float() for x in inputs.split(4096)]).numpy()


if __name__ == "__main__":
    measure(Tuned)
