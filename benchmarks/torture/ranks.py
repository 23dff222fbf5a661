"""Several processes that torch's launcher starts: one is killed, all are stopped, more or fewer go on.

However it went, the rows that count must be those of a quiet training: each once an epoch, in the same batches, and
the weights the same as those that one process learns, up to the order in which gradients are summed.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from benchmarks.torture import ranks_launched

SCRIPT = Path(__file__).parent / "ranks_launched.py"
ROOT = SCRIPT.parents[2]
NEAR = 1e-5
"""The largest difference of a weight that the order of sums may make."""
STEPS = ranks_launched.EPOCHS * -(-ranks_launched.ROWS // ranks_launched.BATCH)


def launch(
    folder: Path, kind: str, processes: int, *, kill_before: int = -1, restarts: int = 0
) -> subprocess.Popen[str]:
    """A launch of `ranks_launched`; with one process there is no launcher."""
    script = [str(SCRIPT), str(folder), kind, str(kill_before)]
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes), "--max-restarts", str(restarts)]
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TORCHELASTIC")}
    environment |= {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *(launcher if processes > 1 else []), *script]
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def train(folder: Path, kind: str, processes: int, *, kill_before: int = -1, restarts: int = 0) -> tuple[int, str]:
    """A launch to its end: its exit code and what it said."""
    started = launch(folder, kind, processes, kill_before=kill_before, restarts=restarts)
    said, _ = started.communicate(timeout=600)
    return started.returncode, said


def stop_after(folder: Path, kind: str, processes: int, steps: int, number: signal.Signals) -> int:
    """A launch that is asked to stop once some steps were made; its exit code."""
    started = launch(folder, kind, processes)
    wanted, lines = len(counted(folder)) + steps, folder / "rows.jsonl"
    while started.poll() is None and (not lines.exists() or len(counted(folder)) < wanted):
        time.sleep(0.01)
    if started.poll() is None:
        started.send_signal(number)
    started.communicate(timeout=600)
    return started.returncode


def counted(folder: Path) -> dict[tuple[int, int], list[int]]:
    """The rows of each step (epoch, position): of the last attempt at it, for an earlier one came to nothing."""
    path = folder / "rows.jsonl"
    text = path.read_text() if path.exists() else ""
    attempts: dict[tuple[int, int], str] = {}
    found: dict[tuple[int, int], dict[int, list[int]]] = {}
    for said in map(json.loads, text[: text.rfind("\n") + 1].splitlines()):
        where = (said["where"][0], said["where"][1])
        if attempts.get(where) != said["attempt"]:
            attempts[where], found[where] = said["attempt"], {}
        found[where][said["rank"]] = said["rows"]
    return {where: [row for rank in sorted(shares) for row in shares[rank]] for where, shares in found.items()}


def learned(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a finished training."""
    return load_file(folder / "run" / "network.safetensors")


def same(folder: Path, quiet: Path) -> list[str]:
    """What is not as in the quiet training, in words; nothing when all is."""
    wrong = []
    rows, wanted = counted(folder), counted(quiet)
    if rows != wanted:
        wrong.append(f"{sum(rows.get(where) != each for where, each in wanted.items())} steps learned from other rows")
    for epoch in range(ranks_launched.EPOCHS):
        seen = sorted(row for (at, _), each in rows.items() if at == epoch for row in each)
        if seen != list(range(ranks_launched.ROWS)):
            wrong.append(f"epoch {epoch} did not see each row once")
    ours, theirs = learned(folder), learned(quiet)
    apart = max(float((ours[name] - theirs[name]).abs().max()) for name in theirs)
    if not apart < NEAR:
        wrong.append(f"a weight is off by {apart:.1e}")
    return wrong


def killed(folder: Path, kind: str, chance: random.Random) -> list[str]:
    """One of two processes dies before a random step; the launcher starts both anew, and they end the training."""
    code, said = train(folder, kind, 2, kill_before=chance.randrange(1, STEPS), restarts=1)
    wrong = [] if code == 0 else [f"the launcher ended with {code}: {said[-500:]}"]
    return wrong if (folder / "killed").exists() else [*wrong, "nobody was killed"]


def resized(folder: Path, kind: str, chance: random.Random) -> list[str]:
    """Two processes begin, one goes on, two end it; each launch is stopped by a signal after a few steps."""
    wrong = []
    for processes in (2, 1):
        number = chance.choice([signal.SIGTERM, signal.SIGINT])
        code = stop_after(folder, kind, processes, chance.randrange(1, STEPS // 3), number)
        if code == 0:
            wrong.append(f"{processes} processes ended before they could be stopped")
    code, said = train(folder, kind, 2)
    return wrong if code == 0 else [*wrong, f"the last launch ended with {code}: {said[-500:]}"]


def run(count: int, seed: int, kinds: Sequence[str] = ("table", "pictures")) -> dict[str, object]:
    """`count` trainings, killed and resized by turns, on rows of a table and on pictures by turns."""
    chance, wrong = random.Random(seed), dict[str, list[str]]()
    with tempfile.TemporaryDirectory() as place:
        for kind in kinds[: -(-count // 2)]:
            code, said = train(Path(place) / kind, kind, 1)
            assert code == 0, said
        for number in range(count):
            way, kind = (killed, resized)[number % 2], kinds[number // 2 % len(kinds)]
            folder = Path(place) / str(number)
            found = way(folder, kind, chance)
            found += same(folder, Path(place) / kind) if not found else []
            if found:
                wrong[f"{number}: {way.__name__}, {kind}"] = found
    return {"tried": count, "survived": count - len(wrong), "failed": wrong}
