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
from benchmarks.speed.peers.job import LEARNING_RATE, TEMPERATURE, Contender, Job, channels_first, measure, scaled
from benchmarks.speed.text_networks import BLOCKS, HEADS, HIDDEN, LSTM, MODEL, TOKENS, Transformer, rotated
from benchmarks.speed.workloads import PLACES

Held = tuple[Tensor, ...]
"""What a writer carries on."""


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
        network = make(job.network, weights=job.weights if job.kind == "writing" else "")
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE, fused=True)
        # Compiling takes a minute, which pays where many rows follow; judging a training must not compile once more.
        compiler = shutil.which("g++") or shutil.which("clang++")
        self.writer = WRITERS[job.network](self.network) if job.kind == "writing" else None
        if self.writer and compiler:
            self.writer.step = torch.compile(self.writer.step)
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
                    scores = self.learning(inputs[rows]).float()
                    loss = functional.cross_entropy(scores.flatten(0, -2), answers[rows].flatten())
                loss.backward()
                self.optimizer.step()
                self.optimizer.zero_grad(set_to_none=True)

    def scores(self, inputs: Any) -> np.ndarray:
        self.network.eval()
        with torch.inference_mode(), precision():
            return torch.cat([self.answering(x).float() for x in inputs.split(4096)]).numpy()

    def write(self, texts: int, count: int) -> np.ndarray:
        """Characters are drawn by the Gumbel trick inside the step: its argument is all that crosses its border."""
        assert self.writer is not None
        with torch.inference_mode():
            last, state = torch.zeros(texts, dtype=torch.long), self.writer.start(texts)
            chance = -torch.empty(count, texts, TOKENS).exponential_().log_() * TEMPERATURE
            written = []
            for place in range(count):
                last, state = self.writer.step(last, chance[place], torch.tensor([place]), state)
                written.append(last)
            return torch.stack(written, 1).numpy()


class LSTMWriter:
    """An LSTM's step with vectors, input weights and biases folded into one table of characters."""

    def __init__(self, network: LSTM):
        reader = network.lstm
        with torch.no_grad():
            self.table = network.vectors.weight @ reader.weight_ih_l0.T + reader.bias_ih_l0 + reader.bias_hh_l0  # type: ignore[operator]
            self.again, self.head = reader.weight_hh_l0.T.contiguous(), network.head  # type: ignore[operator]

    def start(self, texts: int) -> Held:
        """Nothing read."""
        return torch.zeros(texts, HIDDEN), torch.zeros(texts, HIDDEN)

    def step(self, last: Tensor, chance: Tensor, place: Tensor, state: Held) -> tuple[Tensor, Held]:
        """The character that is drawn, and the state."""
        enters, forgets, news, leaves = torch.addmm(self.table[last], state[0], self.again).chunk(4, 1)
        cell = forgets.sigmoid() * state[1] + enters.sigmoid() * news.tanh()
        read = leaves.sigmoid() * cell.tanh()
        return (self.head(read) + chance).argmax(1), (read, cell)


class TransformerWriter:
    """A transformer's step into keys and values of a fixed size."""

    def __init__(self, network: Transformer):
        self.network = network

    def start(self, texts: int) -> Held:
        """Room for keys and values."""
        return tuple(torch.zeros(texts, HEADS, PLACES, MODEL // HEADS) for _ in range(2 * BLOCKS))

    def step(self, last: Tensor, chance: Tensor, place: Tensor, state: Held) -> tuple[Tensor, Held]:
        """The character that is drawn; what it adds to the state is written in place."""
        network = self.network
        cosine, sine = network.cosine[place], network.sine[place]
        seen = (torch.arange(PLACES) <= place)[None]
        x = network.enter(network.vectors(last))[:, None]
        for number, block in enumerate(network.blocks):
            query, key, value = block.look(block.first(x)).view(len(last), 1, 3 * HEADS, -1).transpose(1, 2).chunk(3, 1)  # type: ignore[operator]
            keys, values = state[2 * number : 2 * number + 2]
            keys.index_copy_(2, place, rotated(key, cosine, sine))
            values.index_copy_(2, place, value)
            found = functional.scaled_dot_product_attention(rotated(query, cosine, sine), keys, values, attn_mask=seen)
            x = x + block.gather(found.reshape(len(last), 1, MODEL))  # type: ignore[operator]
            x = x + block.dense(block.second(x))  # type: ignore[operator]
        return (network.head(network.norm(x))[:, 0] + chance).argmax(1), state


WRITERS: dict[str, Any] = {"lstm": LSTMWriter, "transformer": TransformerWriter}


if __name__ == "__main__":
    measure(Tuned)
