"""The rows: what each one does, how often, and which source it is a test of."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.keeping import SOURCE, fingerprint, source_files
from benchmarks.torture.readers import READERS

HERE = Path(__file__).parent
LOADING = ("ground", "training/checkpoint.py", "api/run.py", "run/folder.py", "run/golden.py", "run/parts.py",
           "network/plan.py")  # fmt: skip
"""What reads a run and a checkpoint."""
READING = ("ground", "data", "network/plan.py", "hidden/weights_file.py", "run/study.py", "api/request.py")
"""What reads all else."""
FORMATS = {
    "data/excel.py": ("excel",), "data/arrays.py": ("npy", "npz", "idx"), "data/idx.py": ("idx",),
    "data/columnar.py": ("parquet", "arrow"), "data/_trial.py": ("parquet", "arrow"),
    "data/dialogues.py": ("dialogues",), "data/archive.py": ("npz", "excel"),
    "data/typed.py": ("json", "sqlite", "excel", "parquet", "arrow"),
}  # fmt: skip
"""Files of one format, and the readers whose bytes are given to them; archives may hold any."""


@dataclass(frozen=True)
class Row:
    """One way to torture."""

    module: str
    """The file beside this one; its `run(count, seed)` gives `tried`, `survived` and what is worth keeping."""
    tries: int
    """How many in all; a row that has fewer things to try tries them all."""
    piece: int
    """How many between two savings of what was found."""
    shows: str
    source: tuple[str, ...] = ("",)
    """Folders and files of src/lamina that it tests: where one changes, the row is measured anew. All by default."""
    beside: tuple[str, ...] = ("children.py",)
    """Files beside this one that it stands on."""
    reader: str | None = None
    """What `run` is given first, where one file does several rows."""
    spares: tuple[str, ...] = ()
    """Files among its source to which it gives nothing."""

    def work(self) -> Callable[[int, int], dict[str, object]]:
        """Its `run(count, seed)`."""
        run = importlib.import_module(f"benchmarks.torture.{self.module}").run
        return run if self.reader is None else partial(run, self.reader)

    def code(self) -> str:
        """12 hexadecimal digits that change with the source that the row tests, and with the row itself."""
        files = [
            path
            for path in source_files()
            if (name := path.relative_to(SOURCE).as_posix()).startswith(self.source) and name not in self.spares
        ]
        own = [HERE / name for name in (*self.beside, f"{self.module}.py")]
        return fingerprint([*files, *own], SOURCE.parents[1])


ROWS: dict[str, Row] = {
    "kills": Row(
        "kills", 200, 10, "trainings of `lamina.fit` killed three times each and resumed: weights identical by hash",
        ("ground", "training", "objectives", "losses", "data/stream.py", "data/batch.py", "api/fit.py",
         "api/module_folder.py", "api/signals.py", "run/folder.py"),
    ),
    "tables": Row(
        "tables", 20, 5, "`lamina train` on a table, simpler ways and five folds included, killed three times each: "
                          "network, plan and figures identical by hash", beside=("children.py", "commands.py"),
    ),
    "pictures": Row("pictures", 20, 5, "the same on pictures, from their first reading to the report",
                    beside=("children.py", "commands.py")),
    "ranks": Row("ranks", 20, 4, "two processes: one killed and both started anew, or both stopped and others go on: "
                                 "the rows of each step those of one process, weights within 1e-5",
                 ("ground", "training", "objectives", "losses", "data/stream.py", "data/batch.py", "api/fit.py",
                  "api/module_folder.py", "api/signals.py", "run/folder.py", "run/joint.py"),
                 beside=("ranks_launched.py",)),
    "calls": Row(
        "calls", 500, 100, "a system call of saving ends the process, or fails as on a full or broken disk, each in "
                            "turn: a checkpoint that is whole loads, and the next save leaves nothing beside it",
        ("ground/files.py", "training/checkpoint.py", "training/saving.py", "run/folder.py"),
    ),
    "flips": Row("flips", 1000, 250, "bits flipped and files cut off, over all files of a run: none loads silently",
                 LOADING),
    "hostile": Row(
        "hostile", 100, 100, "files made to harm: refused, nothing run, in 512 MiB and 5 s of processor time", LOADING
    ),
    **{
        f"fuzz-{reader}": Row("fuzz", 600, 150, "600 seconds of bytes bent towards code that was not run yet: each "
                              "input is read, or refused in words, under 512 MiB and 5 s", READING,
                              ("fuzz_child.py", "readers.py"), reader,
                              tuple(name for name, readers in FORMATS.items()
                                    if reader not in (*readers, "zip", "tar")))
        for reader in READERS
    },
}  # fmt: skip
