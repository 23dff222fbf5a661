"""Lamina, through `lamina.fit`: the one contender that imports it."""

import lamina  # isort: skip  # before PyTorch: it says how PyTorch's threads wait for each other
import json
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.speed.networks import make
from benchmarks.speed.peers.job import LEARNING_RATE, Contender, Job, channels_first, measure
from benchmarks.speed.peers.lamina_texts import LaminaTexts
from benchmarks.speed.workloads import TEXTS
from lamina.api import ModuleRun
from lamina.ground import Features, Shape, vector
from lamina.hidden import HiddenLayer

IMPORTED = time.time()
ROWS_ALONE = 100
"""Rows that a loaded run answers one by one."""
TABLE_PLAN = {
    "inputs.numbers.embedding": "none",
    "hidden.name": "mlp", "hidden.width": 256, "hidden.num_layers": 3, "training.steps": 20, "training.ensemble": 1,
}  # fmt: skip
"""Of the run that answers frames: trained for a moment, since only its size matters."""


HELD = 0.05
FOLDER_PLAN = {
    "training.ensemble": 1, "training.optimizer": "adam", "training.learning_rate": LEARNING_RATE,
    "training.schedule": "constant", "training.warmup": 0.0, "training.weight_decay": 0.0, "training.clip": 0.0,
    "training.average": 0.0, "split.test": 0, "split.valid": HELD, "inputs.image.side": 64,
    "inputs.image.mirror": True, "inputs.image.strength": 1.0, "inputs.image.shift": 4 / 64,
    **{f"inputs.image.{amount}": 0.0 for amount in ("rotate", "zoom", "shear", "jitter", "erase")},
}  # fmt: skip
"""What everyone does with the folder: Adam at a constant rate, pictures mirrored and moved by up to 4 pixels."""


class Body(HiddenLayer):
    """A network without its last layer, which the output brings."""

    def __init__(self, network: nn.Module):
        super().__init__()
        *layers, last = network.children()
        self.layers, self.shape = nn.Sequential(*layers), Shape("vector", int(last.in_features))  # type: ignore[arg-type]

    def forward(self, features: Features) -> Features:
        """(batch, channels, height, width) -> (batch, width)."""
        return vector(self.layers(features.values))


class OfBytes(nn.Module):
    """A network for pictures that stay in memory as bytes, a quarter of what their numbers would take."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        """(batch, channels, height, width) of 0 to 255 -> what the network makes of 0 to 1."""
        return self.network(pictures.float() / 255)


class Answering(OfBytes):
    """A network that `lamina.train` made."""

    def forward(self, pictures: Tensor) -> Tensor:
        """(batch, channels, height, width) of 0 to 255 -> (batch, classes) raw scores."""
        return self.network({"image": pictures.float()})["class"].mean(1)


class Lamina(Contender):
    """The settings are those that make the training the same as everyone's: Adam, constant rate, nothing clipped."""

    libraries = ("torch", "numpy")

    def __init__(self, job: Job):
        network = make(job.network, job.shape)
        network = OfBytes(network) if len(job.shape) == 3 else network
        self.run = ModuleRun(network.eval(), functional.cross_entropy, float("nan"), "", [])

    def ready(self, inputs: np.ndarray) -> Tensor:
        return torch.from_numpy(channels_first(inputs))

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

    def learn_folder(self, job: Job) -> list[float]:
        """`lamina.train` with the same layers.

        Reading, decoding and the probe belong to the first epoch, and judging on held-out pictures to each; what the
        network is compared with afterwards is no part of its training.
        """
        assert isinstance(self.run.network, OfBytes)
        body = Body(self.run.network.network)
        with TemporaryDirectory() as folder:
            os.environ["LAMINA_CACHE"] = str(Path(folder) / "cache")  # nothing is decoded or tried yet
            run = lamina.train(job.files, out=Path(folder) / "run", quiet=True, seed=0, hidden=body,
                               set=FOLDER_PLAN | {"training.epochs": job.epochs, "training.batch_size": job.batch_size}
                               )  # fmt: skip
            timing = run.folder.state()["timing"]
            ends = [json.loads(line)["seconds"] for line in run.folder.text("history.jsonl").splitlines()]
            self.run.network = Answering(run.network)
        before = sum(timing[phase] for phase in ("read", "prepare", "mirror", "train")) - ends[-1]
        learned = 1 - HELD  # pictures held out were no work for the others
        return (np.diff([-before, *ends]) / learned).tolist()

    def answer_frame(self, job: Job) -> dict[str, float]:
        """A loaded run answers a Polars frame, and one row as a dict; its hidden layers are those of the network d."""
        import polars as pl

        frame = pl.DataFrame(job.inputs, schema=[f"number_{place}" for place in range(job.shape[0])])
        known = frame[: job.warmup_rows].with_columns(pl.Series("target", job.targets[: job.warmup_rows]))
        with TemporaryDirectory() as folder:
            lamina.train(known, predict="target", out=Path(folder) / "run", quiet=True, set=TABLE_PLAN)
            run = lamina.load(Path(folder) / "run")
            run.predict(frame[: job.warmup_rows])
            start = time.perf_counter()
            run.predict(frame)
            seconds = time.perf_counter() - start
            rows, spent = frame[:ROWS_ALONE].to_dicts(), []
            for row in rows:
                start_row = time.perf_counter()
                run.predict(row)
                spent.append(time.perf_counter() - start_row)
        return {"value": job.rows / seconds, "seconds": seconds, "row_ms": 1000 * float(np.median(spent))}

    def reach(self, job: Job) -> tuple[float, float]:
        """`lamina.train` on the files as they were published: reading, choosing and comparing are counted as well."""
        from benchmarks.quality.rows import ROWS  # brings scikit-learn, which is no part of the other measurements

        row = ROWS[Path(job.source).name]
        with TemporaryDirectory() as folder:
            train, test = row.load(Path(job.source), Path(folder), 0)
            settings: dict[str, object] = {"training.stop_at": job.target}
            if row.target:  # of classes that are not balanced another figure would decide
                settings[f"outputs.{row.target}.decides"] = row.metric
            start = time.time()  # writing the files of the split is not Lamina's work; importing it was
            run = lamina.train(train.files, predict=row.target, test=test.files, set=settings,
                               out=Path(folder) / "run", quiet=True)  # fmt: skip
            seconds = time.time() - start + IMPORTED - job.started
            if "reached" not in run.folder.state()["ended"]:
                raise SystemExit(f"did not arrive: {run.folder.state()['ended']}")
            evaluation = run.evaluate()
            (metrics,) = evaluation["metrics"].values()
            accuracy = metrics["accuracy"]["value"]
            if not job.is_there(accuracy, evaluation["rows"]):
                raise SystemExit(f"did not arrive: stopped with {accuracy:.2%} on test rows")
            return seconds, accuracy


if __name__ == "__main__":
    measure(lambda job: LaminaTexts(job) if job.network in TEXTS or job.kind == "padding" else Lamina(job))
