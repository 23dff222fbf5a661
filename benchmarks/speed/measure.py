"""One measurement: a contender's process, from its start to its result."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks.keeping import REPOSITORY
from benchmarks.memory.watch import Shares
from benchmarks.speed.contenders import Contender
from benchmarks.speed.peers.job import Job
from benchmarks.speed.workloads import Workload

LIMIT_SECONDS = 1800.0
"""After which a process counts as one that will not arrive."""


class Failed(RuntimeError):
    """A contender's process ended without a result; holds the end of what it said."""


def measure(workload: Workload, contender: Contender, python: Path, work: Path,
            limit: float = LIMIT_SECONDS) -> dict[str, Any]:  # fmt: skip
    """What `peers/job.py` measures, or how long a command takes.

    Args:
        workload: what to do.
        contender: by whom.
        python: of its environment.
        work: where data lies and scratch may be written.
        limit: seconds that it may take.

    Raises:
        Failed: when there is no result.
    """
    scratch = work / "scratch"  # some frameworks write folders where they run
    scratch.mkdir(parents=True, exist_ok=True)
    if workload.kind == "command":
        start = time.perf_counter()
        _run([str(python), *command(workload, contender)], contender, scratch, limit)
        return {"value": time.perf_counter() - start}
    data = work / "data" / workload.data
    weights = work / "data" / f"{workload.network}{'-learned' if workload.kind == 'writing' else ''}.npz"
    script = f"benchmarks.speed.peers.{contender.name}"
    if contender.name == "onnxruntime" and not weights.with_suffix(".onnx").exists():
        path = str(weights.with_suffix(".onnx"))
        _run([str(python), "-m", script, "export", workload.network, path], contender, scratch, limit)
    published = Path(os.environ.get("LAMINA_DATA", "")).expanduser().absolute()
    result = scratch / "result.json"
    result.unlink(missing_ok=True)
    job = Job(
        kind=workload.kind, network=workload.network, data=str(data), weights=str(weights), rows=workload.rows,
        warmup_rows=workload.warmup_rows, batch_size=workload.batch_size, epochs=workload.epochs,
        target=workload.target, source=str(published / workload.source), started=time.time(),
    )  # fmt: skip
    job.write(scratch / "job.json")
    # Of a folder some read with processes of their own, and others map what they have prepared.
    watch = workload.kind == "folder"
    held = _run([str(python), "-m", script, str(scratch / "job.json"), str(result)], contender, scratch, limit, watch)
    found: dict[str, Any] = json.loads(result.read_text())
    return found | {"peak_mib": round(held)} if watch else found


def command(workload: Workload, contender: Contender) -> list[str]:
    """What Python is told for a workload that is a whole process."""
    return ["-m", "lamina", "--help"] if workload.name == "help" else ["-c", f"import {contender.imports}"]


def _run(arguments: list[str], contender: Contender, folder: Path, limit: float, watch: bool = False) -> float:
    """Run a contender's Python; the most private MiB that it and its children held, where that is watched."""
    paths = [REPOSITORY, REPOSITORY / "src"] if contender.name == "lamina" else [REPOSITORY]
    environment = {
        # Lamina sets it for itself. On a quiet machine it is as good as what PyTorch has; beside other programs that
        # is worse by far, and everyone is spared it (docs/lab-notes.md, The machine 15).
        "GOMP_SPINCOUNT": "10000",
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "TF_CPP_MIN_LOG_LEVEL": "2",  # TensorFlow's remarks about the processor would hide what went wrong
    }
    if contender.imports == "keras":
        environment["KERAS_BACKEND"] = contender.name.removeprefix("keras_")
    with subprocess.Popen(
        arguments, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        shares = Shares(process.pid) if watch else None
        try:
            said, complained = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"no result after {limit:g} s") from error
        finally:
            process.kill()  # where it has not ended by itself
            held = shares.end() if shares else 0.0
    if process.returncode != 0:
        raise Failed(" / ".join((complained or said).strip().splitlines()[-3:]))
    return held
