"""Every system call of saving, one after the other: the process ends in it, or it fails as on a full or broken disk.

strace makes them fail, from outside of the process: what Python, Rust and torch do is met alike. After each of them a
checkpoint that is whole must load, the run's decisions must be readable, and the next save must leave no debris.
"""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import torch

from benchmarks.torture.children import start
from lamina.ground import RunError
from lamina.run import RunFolder
from lamina.training import load_checkpoint, save_checkpoint
from lamina.training.saving import Saver

WAYS = ("signal=KILL", "error=EIO", "error=ENOSPC")
WATCHED = "%file,%desc"
"""System calls that take a path or a file."""
ENDED = "/the first save has ended"
"""A path that the child asks for between its saves, to be found among its calls."""
REFUSED = 3
"""How the child says that even the save after the failing one did not work."""


def _state(step: int) -> dict[str, object]:
    return {"step": step, "weights": {"w": torch.full((64, 64), float(step))}}


def _saves(run: RunFolder) -> None:
    """What is tortured: a decision and a checkpoint are written as training writes them, then both once more."""
    signal.sigwait({signal.SIGUSR1})
    saver = Saver(run / "checkpoint", 0, lambda text: None)
    with contextlib.suppress(OSError, RunError):  # as the loop takes it
        run.update_state(decisions={"steps": 2})
    saver.save(_state(2))
    os.path.exists(ENDED)
    run.update_state(decisions={"steps": 3})
    os._exit(0 if saver.save(_state(3)) else REFUSED)


def _begun(place: Path) -> RunFolder:
    """A run that has a checkpoint of step 1."""
    run = RunFolder(place)
    place.mkdir()
    run.start(decisions={"steps": 1})
    save_checkpoint(run / "checkpoint", _state(1))
    return run


def _under_strace(run: RunFolder, *options: str) -> int:
    """How the saves ended when strace looks on with these options: the exit status, or the signal below zero."""
    child = start(lambda: _saves(run))
    tracer = subprocess.Popen(["strace", "-p", str(child), *options], stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    assert "attached" in said, said
    os.kill(child, signal.SIGUSR1)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    tracer.stderr.read()
    tracer.wait()
    return ended


def calls_of_saving(place: Path) -> list[tuple[str, int]]:
    """(system call, which one of its name) in the order in which an undisturbed save of step 2 makes them."""
    log = place / "calls.txt"
    ended = _under_strace(_begun(place / "quiet"), "-e", f"trace={WATCHED}", "-o", str(log))
    assert ended == 0, f"undisturbed saves must work: {ended}"
    lines = log.read_text().split(ENDED)[0].splitlines()[:-1]
    names = [found[1] for line in lines if (found := re.match(r"(\w+)\(", line))]
    names = [name for name in names if name != "mmap"]  # reserving memory is none of the disk's business
    seen: Counter[str] = Counter()
    turns = []
    for name in names:
        seen[name] += 1
        turns.append((name, seen[name]))
    return turns


def survives(run: RunFolder, name: str, turn: int, way: str) -> str:
    """What is wrong after the turn-th call of a name went this way; empty when nothing is."""
    ended = _under_strace(run, "-e", f"trace={WATCHED}", "-e", f"inject={name}:{way}:when={turn}", "-o", os.devnull)
    wanted = -signal.SIGKILL if way == "signal=KILL" else 0
    if ended != wanted:
        return f"the process ended with {ended}"
    try:
        step, decided = load_checkpoint(run / "checkpoint")["step"], run.state()["decisions"]["steps"]
    except RunError as error:
        return str(error)
    if (step, decided) != (3, 3) and way != "signal=KILL":
        return f"step {step} and decision {decided} were saved at the end"
    with run.locked():  # the next command
        save_checkpoint(run / "checkpoint", _state(4))
    left = sorted(path.name for path in [*run.path.iterdir(), *(run / "checkpoint").iterdir()])
    if len(left) != 4 or not left[2].startswith("saved-"):
        return f"left behind: {', '.join(left)}"
    return ""


def run(count: int, seed: int) -> dict[str, object]:
    """`count` failures, drawn by `seed` from all of them; piece `seed` of as many when they are taken in turn.

    Raises:
        FileNotFoundError: where there is no strace.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    wrong, kinds = list[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        turns = calls_of_saving(place)
        ways = [(*turn, way) for turn in turns for way in WAYS]
        random.Random(0).shuffle(ways)
        some = ways[seed * count : (seed + 1) * count]
        for call, turn, way in some:
            kinds[call] += 1
            said = survives(_begun(place / "run"), call, turn, way)
            if said:
                wrong.append(f"{call} {turn} {way}: {said}")
            shutil.rmtree(place / "run")
    return {"tried": len(some), "survived": len(some) - len(wrong), "failed": wrong, "calls": dict(kinds),
            "ways": len(ways)}  # fmt: skip
