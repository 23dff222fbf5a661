"""onnxruntime, for prediction: PyTorch's network, exported, in a session of its own."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.speed.peers.job import Contender, Job, channels_first, measure, scaled


def export(network: str, path: Path) -> None:
    """Write a network as ONNX; in a process of its own, so that PyTorch is not counted here."""
    import torch

    from benchmarks.speed.networks import make

    example = torch.zeros(2, 14) if network == "mlp" else torch.zeros(2, 1, 28, 28)
    torch.onnx.export(
        make(network).eval(), (example,), path, input_names=["x"], dynamic_shapes=({0: torch.export.Dim("rows")},),
        dynamo=True, external_data=False, verbose=False,
    )  # fmt: skip


class OnnxRuntime(Contender):
    """A session with its defaults."""

    libraries = ("onnxruntime", "numpy")

    def __init__(self, job: Job):
        path = Path(job.weights).with_suffix(".onnx")
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def ready(self, inputs: np.ndarray) -> Any:
        return channels_first(scaled(inputs))

    def scores(self, inputs: Any) -> np.ndarray:
        pieces = [inputs[start : start + 4096] for start in range(0, len(inputs), 4096)]
        return np.concatenate([self.session.run(None, {"x": piece})[0] for piece in pieces])


if __name__ == "__main__":
    if sys.argv[1] == "export":
        export(sys.argv[2], Path(sys.argv[3]))
    else:
        measure(OnnxRuntime)
