"""The least time that a network can take on this machine: what it must multiply, and what it must read and write.

    python -m benchmarks.speed.floor NETWORK BATCH

Prints JSON. Every layer with weights takes at least the longer of two times: its multiplications at the rate of a large
matrix product, and its input, output and weights at the rate of copying. Training does this three times: forward, and
for the gradients of input and weights. Everything between those layers is taken to cost nothing, attention included.
"""

import json
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.speed.networks import make
from benchmarks.speed.workloads import PLACES, TEXTS

SHAPES = {"convnet": (1, 28, 28), "resnet18": (3, 32, 32), "lenet": (1, 28, 28), "mlp": (14,), "photonet": (3, 64, 64),
          **dict.fromkeys(TEXTS, (PLACES,))}  # fmt: skip
PASSES = 3


def work(name: str, batch: int) -> list[tuple[int, int]]:
    """(multiplications and additions, bytes) of every layer with weights, for one pass over a batch."""
    found: list[tuple[int, int]] = []

    def count(layer: nn.Module, inputs: tuple[Tensor], output: Tensor | tuple[Tensor, object]) -> None:
        output = output[0] if isinstance(output, tuple) else output
        weights = [weight for weight in layer.parameters() if weight.dim() > 1]
        # An output of a convolution or a dense layer takes one of its filters; of an LSTM those of its four gates.
        each = sum(4 * weight[0].numel() if isinstance(layer, nn.LSTM) else weight[0].numel() for weight in weights)
        size = inputs[0].numel() + output.numel() + sum(weight.numel() for weight in weights)
        found.append((2 * output.numel() * each, 4 * size))

    network = make(name).eval()
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear, nn.LSTM)):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(batch, *SHAPES[name], dtype=torch.long if name in TEXTS else None))
    return found


def fastest(action: Callable[[], object], repeats: int = 20) -> float:
    """Seconds of the fastest of some repeats."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def rates() -> dict[str, float]:
    """Operations a second of a large float32 product, and bytes a second read and written by a copy."""
    left, right = torch.rand(2048, 2048), torch.rand(2048, 2048)
    source = torch.rand(64 * 2**20)  # 256 MiB: larger than any cache
    target = torch.empty_like(source)
    return {
        "operations": 2 * 2048**3 / fastest(lambda: torch.mm(left, right)),
        "bytes": 2 * 4 * len(source) / fastest(lambda: target.copy_(source)),
    }


def floor(name: str, batch: int) -> dict[str, float]:
    """Seconds a row (of texts: a character) of training and answering, at least, and the rates behind them."""
    measured, count = rates(), batch * (PLACES if name in TEXTS else 1)
    seconds = sum(max(operations / measured["operations"], size / measured["bytes"])
                  for operations, size in work(name, batch))  # fmt: skip
    return {**measured, "answer_seconds": seconds / count, "train_seconds": PASSES * seconds / count}


if __name__ == "__main__":
    print(json.dumps(floor(sys.argv[1], int(sys.argv[2]))))
