"""What is measured. The letters are those of docs/speed.md's sections."""

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal[
    "training", "writing", "throughput", "latency", "first_answer", "reach", "frame", "folder", "command", "padding"
]

TEXTS = ("lstm", "transformer")
"""Networks that learn what comes next in a text."""
PLACES = 256
"""Characters of a row of text."""


PHOTOS, FEW_PHOTOS = 20_000, 64
"""Files of the folder, and of the one that only shows whether everything runs."""


@dataclass(frozen=True)
class Workload:
    """One table of the page."""

    name: str
    title: str
    kind: Kind
    unit: str
    network: str = ""
    """A key of `networks.NETWORKS`."""
    data: str = ""
    """A folder that `data.py` makes."""
    rows: int = 0
    warmup_rows: int = 0
    """Rows of a first call that does not count: compiling and tracing happen there."""
    batch_size: int = 128
    epochs: int = 1
    target: float = 0.0
    """The accuracy to reach."""
    source: str = ""
    """The published data's folder, for who reads that itself."""
    agree: float = 0.0
    """How far a contender's accuracy may be from the hand-written loop's; 0 where there is nothing to agree on."""

    @property
    def larger_is_better(self) -> bool:
        """Whether the unit is a rate."""
        return self.unit.endswith("/s")

    @property
    def has_floor(self) -> bool:
        """Whether the least time follows from the network's multiplications and bytes."""
        return self.kind in ("training", "folder", "throughput")

    def part(self, share: float) -> "Workload":
        """Fewer epochs and rows, in whole batches, for a machine that is slow or busy."""
        if share >= 1 or self.kind not in ("training", "writing", "throughput", "frame"):
            return self
        total = self.rows * self.epochs * share
        epochs = max(round(total / self.rows), 1)
        rows = min(self.rows, max(int(total / epochs / self.batch_size), 1) * self.batch_size)
        # Learned for so short a time, two orders of the same rows are further apart.
        return replace(self, rows=rows, epochs=epochs, warmup_rows=min(self.warmup_rows, rows), agree=4 * self.agree)

    def quick(self) -> "Workload":
        """The same, in a moment: to see whether everything runs."""
        if self.kind == "latency":
            return replace(self, rows=6, warmup_rows=2)
        if self.kind == "folder":
            return replace(self, data="few_photos", rows=FEW_PHOTOS, batch_size=16, epochs=2, agree=0.0)
        if self.kind == "writing":
            return replace(self, rows=self.batch_size, warmup_rows=self.batch_size, agree=0.0)
        rows = min(self.rows, (2 if self.network in ("resnet18", *TEXTS) else 16) * 8)
        half = max(rows // 2, 1)
        return replace(self, rows=rows, warmup_rows=half, batch_size=half, epochs=1, agree=0.0, target=0.0)


# Sizes: 10 to 20 s for Lamina on two cores with AVX-512 and without matrix units. Rows are a multiple of the batch, so
# that there is no short last batch, which frameworks treat differently. Accuracies are taken soon after the start, when
# they still rise: two orders of the same rows differ by a few points there.
WORKLOADS: dict[str, Workload] = {workload.name: workload for workload in (
    Workload("convnet", "a. Convolutional network, 28x28 grey pictures", "training", "pictures/s",
             "convnet", "digits", rows=64 * 128, warmup_rows=8 * 128, agree=0.03),
    Workload("resnet18", "b. ResNet-18 with the small stem, 32x32 colour pictures", "training", "pictures/s",
             "resnet18", "objects", rows=6 * 128, warmup_rows=128, agree=0.12),
    Workload("lenet", "c. LeNet, 28x28 grey pictures", "training", "pictures/s",
             "lenet", "digits", rows=468 * 128, warmup_rows=16 * 128, epochs=2, agree=0.02),
    Workload("mlp", "d. Dense network 14-256-256-256-2, 100,000 rows", "training", "rows/s",
             "mlp", "table", rows=390 * 256, warmup_rows=32 * 256, batch_size=256, epochs=8, agree=0.02),
    Workload("photos", f"e. A folder of {PHOTOS:,} JPEG files of 256x256, trained at 64x64 with flips and crops",
             "folder", "pictures/s", "photonet", "photos", rows=PHOTOS, epochs=2, agree=0.1),
    Workload("mnist", "f. MNIST until 99 % are right", "reach", "s",
             "example", "digits", rows=60_000, target=0.99, source="mnist"),
    Workload("fashion_mnist", "f. Fashion-MNIST (7,000 pictures) until 88 % are right", "reach", "s",
             "example", "clothes", rows=7_000, target=0.88, source="fashion_mnist"),
    Workload("adult_income", "f. Adult income until 85 % are right", "reach", "s",
             "example", "people", rows=32_561, target=0.85, source="adult_income"),
    Workload("rows", "g. Answers to 1,000,000 rows from prepared arrays", "throughput", "rows/s",
             "mlp", "table", rows=1_000_000, warmup_rows=10_000),
    Workload("frame", "g. Answers of a loaded run to 1,000,000 rows of a Polars frame", "frame", "rows/s",
             "mlp", "table", rows=1_000_000, warmup_rows=10_000),
    Workload("row", "g. Answer to one row in a warm process", "latency", "ms",
             "mlp", "table", rows=520, warmup_rows=20),
    Workload("picture", "g. Answer to one picture in a warm process", "latency", "ms",
             "convnet", "digits", rows=220, warmup_rows=20),
    Workload("first_answer", "h. From starting the process to the first answer", "first_answer", "s",
             "mlp", "table", rows=1),
    Workload("import", "h. Import", "command", "s"),
    Workload("help", "h. `--help`", "command", "s"),
    Workload("text_lstm", "i. LSTM of 256 that learns the next character, 16 stretches of 256", "training",
             "characters/s", "lstm", "shakespeare", rows=96 * 16, warmup_rows=4 * 16, batch_size=16, agree=0.03),
    Workload("text_transformer", "i. Transformer, 2 blocks of 128, that learns the next character, 16 stretches of 256",
             "training", "characters/s", "transformer", "shakespeare", rows=96 * 16, warmup_rows=4 * 16, batch_size=16,
             agree=0.03),
    Workload("padding", "i. Padding among the tokens of the benchmark's texts", "padding", "%"),
    Workload("write_lstm", "i. LSTM that writes, one text after the other", "writing", "characters/s",
             "lstm", "shakespeare", rows=40, warmup_rows=2, batch_size=1, agree=0.04),
    Workload("write_transformer", "i. Transformer that writes, one text after the other", "writing", "characters/s",
             "transformer", "shakespeare", rows=40, warmup_rows=2, batch_size=1, agree=0.04),
)}  # fmt: skip
