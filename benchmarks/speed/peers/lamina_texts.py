"""Lamina on texts: its own parts, put together as a plan says, trained by `lamina.fit`, writing as `run.write` does."""

import lamina  # isort: skip  # before PyTorch: it says how PyTorch's threads wait for each other
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.speed.peers.job import LEARNING_RATE, TEMPERATURE, Contender, Job
from benchmarks.speed.text_networks import BLOCKS, HEADS, HIDDEN, MODEL, TOKENS, WIDTH
from lamina.data import Ragged
from lamina.network import build_network, plan_from_plain
from lamina.outputs import Sampling
from lamina.run import Trained, Writing

HIDDEN_LAYERS: dict[str, dict[str, Any]] = {
    "lstm": {"name": "lstm", "width": HIDDEN, "both_ways": False, "dropout": 0.0},
    "transformer": {"name": "transformer", "width": MODEL, "num_layers": BLOCKS, "heads": HEADS, "causal": True},
}
LETTERS = [chr(ord("A") + place) for place in range(TOKENS - 3)]
"""What the numbers from 3 on stand for: any will do."""


class Text(nn.Module):
    """A network for running text, asked for what its rows cost."""

    def __init__(self, name: str, weights: str):
        """With the weights of PyTorch's network in the file `weights`."""
        super().__init__()
        facts = {"unit": "characters", "known": LETTERS, "subwords": "", "counts": np.ones(TOKENS, np.int64), "rows": 1}
        plan = plan_from_plain({
            "predict": ["text"], "hidden": HIDDEN_LAYERS[name], "outputs": {"text": {"kind": "next", "column": "text"}},
            "inputs": {"text": {"kind": "before", "columns": ["text"], "width": WIDTH}},
        })  # fmt: skip
        parts = {"inputs.text": facts, "outputs.text": facts}
        self.network = build_network(plan, parts).network
        self.trained = Trained(plan, {}, parts, self.network)
        with np.load(weights) as kept, torch.no_grad():
            ordered = chain(*(part.parameters() for part in (self.network.inputs["text"], self.network.hidden,
                                                             self.network.outputs["text"])))  # fmt: skip
            for parameter, key in zip(ordered, kept.files, strict=True):
                parameter.copy_(torch.from_numpy(kept[key]))

    def forward(self, texts: Tensor) -> Tensor:
        """(batch, 1, 4) what rows of characters cost, from a start on."""
        rows = Ragged(texts.flatten(), torch.arange(len(texts) + 1) * texts.shape[1])
        return self.network({"text": rows}, {"text": rows})["text"]


def mean_cost(raw: Tensor, texts: Tensor) -> Tensor:
    """Nats per character."""
    return raw[..., 0].sum() / raw[..., 1].sum()


class LaminaTexts(Contender):
    """The settings are those that make the training the same as everyone's: Adam, constant rate, nothing clipped."""

    libraries = ("torch", "numpy")

    def __init__(self, job: Job):
        if job.network:
            self.text = Text(job.network, job.weights)
            self.writing = Writing(self.text.trained)
        self.written = 0

    def ready(self, inputs: np.ndarray) -> Tensor:
        return torch.from_numpy(inputs)

    def train(self, inputs: Tensor, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        texts = torch.from_numpy(targets)
        lamina.fit(
            self.text, (texts, texts), loss=mean_cost, valid=(texts[:1], texts[:1]), quiet=True,
            epochs=epochs, batch_size=batch_size, judge_every=epochs * -(-len(inputs) // batch_size),
            optimizer="adam", learning_rate=LEARNING_RATE, schedule="constant", warmup=0.0, weight_decay=0.0, clip=0.0,
        )  # fmt: skip

    @torch.no_grad()
    def scores(self, inputs: Tensor) -> np.ndarray:
        network = self.text.network.eval()
        read = network.hidden(network.inputs["text"].look_up(inputs))  # type: ignore[operator]
        return network.outputs["text"].scores(read.values).numpy()  # type: ignore[operator]

    def padding(self, job: Job) -> dict[str, float]:
        from benchmarks.speed.peers.padding import shares  # brings scikit-learn, which is no part of the others

        return shares(Path(job.source))

    def write(self, texts: int, count: int) -> np.ndarray:
        wanted, found = Sampling(temperature=TEMPERATURE), []
        for _ in range(texts):
            self.written += 1  # the seed
            found.append("".join(self.writing.go_on("", count, wanted, self.written)))
        return np.stack([self.writing.vocabulary.numbers(text) for text in found]).astype(np.int64)
