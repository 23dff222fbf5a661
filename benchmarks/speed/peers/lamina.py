"""Lamina, through `lamina.fit`: the one contender that imports it."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import lamina
from benchmarks.speed.networks import make
from benchmarks.speed.peers.job import LEARNING_RATE, Contender, Job, channels_first, measure, scaled
from lamina.api import ModuleRun

IMPORTED = time.time()
ROWS_ALONE = 100
"""Rows that a loaded run answers one by one."""
TABLE_PLAN = {
    "hidden.name": "mlp", "hidden.width": 256, "hidden.num_layers": 3, "training.steps": 20, "training.ensemble": 1,
}  # fmt: skip
"""Of the run that answers frames: trained for a moment, since only its size matters."""


class Lamina(Contender):
    """The settings are those that make the training the same as everyone's: Adam, constant rate, nothing clipped."""

    libraries = ("torch", "numpy")

    def __init__(self, job: Job):
        self.run = ModuleRun(make(job.network, job.shape).eval(), functional.cross_entropy, float("nan"), "", [])

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
            (metrics,) = run.evaluate()["metrics"].values()
            return seconds, metrics["accuracy"]["value"]


if __name__ == "__main__":
    measure(Lamina)
