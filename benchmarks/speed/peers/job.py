"""What one process is asked to measure, and how it is measured: the same for every contender.

    python -m benchmarks.speed.peers.NAME JOB.json RESULT.json

A contender says how its framework trains and how it answers; this file holds the clock. Needs only numpy, so that it
runs in every environment and adds nothing to anybody's memory.
"""

import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

JUDGED, JUDGED_TEXTS = 4096, 256
"""Rows that the loss at the end is taken over, and rows of text."""
TEMPERATURE = 0.7
"""Below 1 likely characters are preferred where texts are written: for all."""
START = 0
"""The number that stands before each text."""
REACH_SECONDS = 900
"""After which a contender has not arrived."""
LEARNING_RATE = 0.001
"""Of Adam, constant, without weight decay: for all."""


@dataclass(frozen=True)
class Job:
    """One measurement."""

    kind: str
    """A key of `MEASURES`."""
    network: str
    data: str
    """Folder with `inputs.npy` and `targets.npy`."""
    weights: str
    """File of the weights to start from, for contenders that do not make PyTorch's themselves."""
    rows: int
    """Rows to train on or to answer."""
    warmup_rows: int
    """Rows of the first call, which is timed by itself: compiling, tracing and probing happen there."""
    batch_size: int
    epochs: int
    target: float
    """The accuracy to reach."""
    source: str
    """Folder of the data as it was published, for who reads that."""
    started: float
    """`time.time()` when the process was started."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row."""
        return tuple(np.load(Path(self.data) / "inputs.npy", mmap_mode="r").shape[1:])

    @property
    def files(self) -> Path:
        """The folder of pictures, a folder in it for each class."""
        return Path(self.data) / "files"

    @property
    def inputs(self) -> np.ndarray:
        """(rows, ...) uint8 pictures, channels last, or float32 numbers; of texts int64 the numbers of characters."""
        return self._read("inputs")

    @property
    def targets(self) -> np.ndarray:
        """(rows,) int64 class numbers; of texts (rows, places) the number of the character that follows."""
        return self._read("targets")

    def _read(self, name: str) -> np.ndarray:
        """Only the rows that are asked for: the others would count as somebody's memory."""
        rows = np.load(Path(self.data) / f"{name}.npy", mmap_mode="r")[: self.rows]
        assert len(rows) == self.rows, f"{self.data} has {len(rows)} rows, not {self.rows}"
        return np.array(rows)

    def is_there(self, accuracy: float, rows: int) -> bool:
        """Whether an accuracy on so many rows is the target, or below it by no more than two standard errors."""
        return accuracy >= self.target - 2 * float(np.sqrt(self.target * (1 - self.target) / rows))

    def write(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps(asdict(self)))


class Contender(ABC):
    """A framework as people use it."""

    libraries: ClassVar[tuple[str, ...]]
    """Whose versions are stated."""
    usual_batch_size: ClassVar[int] = 64
    """What its documentation begins with, where nothing else is asked."""

    @abstractmethod
    def __init__(self, job: Job): ...

    def ready(self, inputs: np.ndarray) -> Any:
        """Rows in the form that people hold in memory before they train; not timed."""
        return scaled(inputs)

    def train(self, inputs: Any, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        """Train some epochs with Adam and cross entropy, shuffled, going on from the present weights."""
        raise NotImplementedError(f"{type(self).__name__} does not train.")

    def learn_folder(self, job: Job) -> list[float]:
        """Train on `job.files` at 64x64, mirrored half of the time and moved by up to 4 pixels.

        Returns:
            Seconds of each epoch; opening and decoding the files belong to the first.
        """
        raise NotImplementedError(f"{type(self).__name__} does not read folders.")

    def answer_frame(self, job: Job) -> dict[str, float]:
        """Answer a frame with named columns, as far as the framework knows such a thing."""
        raise NotImplementedError(f"{type(self).__name__} does not read frames.")

    @abstractmethod
    def scores(self, inputs: Any) -> np.ndarray:
        """(rows, classes) logits or logarithms of probabilities; of texts (rows, places, classes)."""

    def write(self, texts: int, count: int) -> np.ndarray:
        """Texts of so many characters, written side by side from `START` on: (texts, count) int64.

        Each character is drawn at `TEMPERATURE` with all before it in mind.
        """
        raise NotImplementedError(f"{type(self).__name__} does not write.")

    def padding(self, job: Job) -> dict[str, float]:
        """The share of padding among the tokens of a training, by data set."""
        raise NotImplementedError(f"{type(self).__name__} fills up as whoever writes the loop decides.")

    def reach(self, job: Job) -> tuple[float, float]:
        """Train until a tenth of the rows, held out, is answered as well as is asked, looking after each epoch.

        Who was only lucky with the tenth goes on: answers to the test rows, which are not timed, show that.

        Returns:
            Seconds since the process was started, and the accuracy on the test rows.
        """
        inputs, targets = self.ready(job.inputs), job.targets
        held = len(targets) // 10
        accuracy, aside = -1.0, 0.0
        while True:
            if time.time() - job.started - aside > REACH_SECONDS:
                raise SystemExit(f"did not arrive: {accuracy:.2%} after {REACH_SECONDS} s")
            self.train(inputs[held:], targets[held:], self.usual_batch_size, 1)
            accuracy = judged(self.scores(inputs[:held]), targets[:held])[1]
            if accuracy >= job.target:
                begun = time.time()
                test, answers = (np.load(Path(job.data) / f"test-{name}.npy") for name in ("inputs", "targets"))
                on_test = judged(self.scores(self.ready(test)), answers)[1]
                if job.is_there(on_test, len(answers)):
                    return begun - job.started - aside, on_test
                aside += time.time() - begun


def scaled(inputs: np.ndarray) -> np.ndarray:
    """Pictures as float32 in [0, 1]; numbers as they are."""
    return inputs.astype(np.float32) / 255 if inputs.dtype == np.uint8 else inputs


def channels_first(inputs: np.ndarray) -> np.ndarray:
    """(rows, height, width, channels) -> (rows, channels, height, width), contiguous; tables as they are."""
    return np.ascontiguousarray(inputs.transpose(0, 3, 1, 2)) if inputs.ndim == 4 else inputs


def measure(make: Callable[[Job], Contender]) -> None:
    """Do what the command line asks, and leave the result."""
    job = Job(**json.loads(Path(sys.argv[1]).read_text()))
    contender = make(job)
    found = MEASURES[job.kind](contender, job)
    found |= {
        "peak_mib": round(peak_bytes() / 2**20),
        "versions": {name: version(name) for name in contender.libraries},
    }
    Path(sys.argv[2]).write_text(json.dumps(found, indent=1))


def training(contender: Contender, job: Job) -> dict[str, Any]:
    """Rows (of texts: characters) a second over whole epochs, after a first call on some; loss and accuracy then."""
    inputs, targets = contender.ready(job.inputs), job.targets
    start = time.perf_counter()
    contender.train(inputs[: job.warmup_rows], targets[: job.warmup_rows], job.batch_size, 1)
    first = time.perf_counter() - start
    start = time.perf_counter()
    contender.train(inputs, targets, job.batch_size, job.epochs)
    seconds = time.perf_counter() - start
    some = JUDGED if targets.ndim == 1 else JUDGED_TEXTS
    loss, accuracy = judged(contender.scores(inputs[:some]), targets[:some])
    return {
        "value": targets.size * job.epochs / seconds, "seconds": seconds, "first_seconds": first,
        "loss": loss, "accuracy": accuracy,
    }  # fmt: skip


def writing(contender: Contender, job: Job) -> dict[str, Any]:
    """Written characters a second, after some first texts.

    Loss and accuracy are those of the network on what was written: who carries something wrong on, or draws otherwise,
    writes texts that the network finds less likely, or more.
    """
    (count,) = job.shape
    start = time.perf_counter()
    for _ in range(0, job.warmup_rows, job.batch_size):
        contender.write(job.batch_size, count)
    first = time.perf_counter() - start
    start = time.perf_counter()
    written = np.concatenate([contender.write(job.batch_size, count) for _ in range(0, job.rows, job.batch_size)])
    seconds = time.perf_counter() - start
    before = np.pad(written, ((0, 0), (1, 0)), constant_values=START)[:, :-1]
    loss, accuracy = judged(contender.scores(contender.ready(before)), written)
    return {
        "value": written.size / seconds, "seconds": seconds, "first_seconds": first, "loss": loss, "accuracy": accuracy
    }  # fmt: skip


def folder(contender: Contender, job: Job) -> dict[str, Any]:
    """Pictures a second in the epochs after the first, and in the first; loss and accuracy at the end."""
    first, *later = contender.learn_folder(job)
    inputs, targets = (np.load(Path(job.data) / f"{name}.npy") for name in ("inputs", "targets"))
    loss, accuracy = judged(contender.scores(contender.ready(inputs)), targets)
    return {
        "value": job.rows / float(np.median(later)), "first_rate": job.rows / first, "loss": loss, "accuracy": accuracy
    }  # fmt: skip


def throughput(contender: Contender, job: Job) -> dict[str, Any]:
    """Answered rows a second, after a first call on some of the rows."""
    inputs = contender.ready(job.inputs)
    start = time.perf_counter()
    contender.scores(inputs[: job.warmup_rows])
    first = time.perf_counter() - start
    start = time.perf_counter()
    scores = contender.scores(inputs)
    seconds = time.perf_counter() - start
    loss, accuracy = judged(scores, job.targets)
    return {
        "value": job.rows / seconds, "seconds": seconds, "first_seconds": first, "loss": loss, "accuracy": accuracy
    }  # fmt: skip


def latency(contender: Contender, job: Job) -> dict[str, Any]:
    """Median milliseconds for a single row in a warm process."""
    inputs = contender.ready(job.inputs)
    seconds = []
    for row in range(len(inputs)):
        one = inputs[row : row + 1]
        start = time.perf_counter()
        contender.scores(one)
        seconds.append(time.perf_counter() - start)
    return {"value": 1000 * float(np.median(seconds[job.warmup_rows :])), "first_seconds": seconds[0]}


def first_answer(contender: Contender, job: Job) -> dict[str, Any]:
    """Seconds from the start of the process to its first answer; making the network is part of it."""
    contender.scores(contender.ready(job.inputs[:1]))
    return {"value": time.time() - job.started}


def reach(contender: Contender, job: Job) -> dict[str, Any]:
    """Seconds until the target is reached, everything counted, and the accuracy on the test rows then."""
    seconds, accuracy = contender.reach(job)
    return {"value": seconds, "accuracy": accuracy}


def padding(shares: dict[str, float]) -> dict[str, Any]:
    """Per cent of the tokens that are padding, in the median of the data sets, and in each."""
    return {"value": 100 * float(np.median(list(shares.values()))), "shares": shares}


MEASURES: dict[str, Callable[[Contender, Job], dict[str, Any]]] = {
    "training": training,
    "writing": writing,
    "folder": folder,
    "throughput": throughput,
    "latency": latency,
    "first_answer": first_answer,
    "reach": reach,
    "padding": lambda contender, job: padding(contender.padding(job)),
    "frame": lambda contender, job: contender.answer_frame(job),
}


def judged(scores: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Mean cross entropy and accuracy, computed here so that no framework's own way of counting matters."""
    scores, targets = scores.reshape(-1, scores.shape[-1]).astype(np.float64), targets.flatten()
    scores -= scores.max(1, keepdims=True)
    chosen = scores[np.arange(len(targets)), targets] - np.log(np.exp(scores).sum(1))
    return float(-chosen.mean()), float((scores.argmax(1) == targets).mean())


def peak_bytes() -> int:
    """The most memory that this process had at once.

    `VmHWM` begins anew with the program, whereas `ru_maxrss` of a process still holds what its parent had.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
