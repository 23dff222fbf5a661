"""`lamina train` killed at random moments of all its work, and left to end: its run must be that of a quiet one.

Reading, preparing, simpler ways, networks, folds and the report are all on the way. The command runs in a copy of a
process that has its imports, so that kills fall into its work and not into starting Python.
"""

import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import altair  # noqa: F401 - what children would import by themselves, for seconds: here once for all of them
import sklearn.compose
import sklearn.ensemble
import sklearn.linear_model
import sklearn.svm  # noqa: F401
import torch

import lamina.api
from benchmarks.torture.children import finish, kill_in_a_row
from lamina.cli import app
from lamina.ground import sha256


def command(*words: str, cache: Path | None = None) -> None:
    """The command line, as `lamina` runs it, with nobody reading what it says."""
    if cache is not None:
        os.environ["LAMINA_CACHE"] = str(cache)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    assert not app(list(words), standalone_mode=False)


def outcome(run: Path) -> dict[str, object]:
    """What two trainings of a seed must share: network, plan, answers, figures; and that nothing is left behind."""
    evaluation = json.loads((run / "evaluation.json").read_text("utf-8"))
    names = ["network.safetensors", "plan.yaml", "golden.json"]
    return {
        "files": {name: sha256(run / name) for name in names},
        "metrics": evaluation["metrics"],
        "there": sorted(path.name for path in run.iterdir()),
    }


def kill_commands(
    count: int, seed: int, sample: str, thin: Callable[[Path], None], **training: int
) -> dict[str, object]:
    """`count` trainings of a sample, killed and taken up again; how many ended as the one that nobody killed.

    This process itself neither reads data nor trains: threads that it had started would be missing in its children.

    Args:
        sample: its name for `lamina sample`.
        thin: takes away what the sample has too much of.
        training: keys of the plan's `training`.
    """
    sets = [word for name, value in training.items() for word in ("--set", f"training.{name}={value}")]
    torch.set_num_threads(1)
    chance, wrong = random.Random(seed), list[int]()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        assert finish(lambda: command("sample", sample, str(place))), "the sample must be written"
        (data,) = place.iterdir()
        thin(data)

        def work(run: Path, cache: Path) -> None:
            command("train", str(data), *sets, "--set", "hidden.width=8", "--out", str(run), cache=cache)

        quiet, cache = place / "quiet", place / "cache"
        begun = time.monotonic()
        assert finish(lambda: work(quiet, cache)), "the training that nobody kills must end"
        seconds = time.monotonic() - begun
        wanted = outcome(quiet)
        for number in range(count):
            run, own = place / str(number), place / f"cache-{number}"

            def undo(run: Path = run, own: Path = own) -> None:
                for made in (run, own):
                    shutil.rmtree(made, ignore_errors=True)
                # Which numbers and layout are fastest is measured once a machine; all else is prepared anew.
                shutil.copytree(cache / "ways", own / "ways")

            undo()
            again = partial(work, run, own)
            seconds = kill_in_a_row(again, undo, seconds, chance)
            if not (finish(again) and finish(partial(lamina.api.load, run)) and outcome(run) == wanted):
                wrong.append(number)
            shutil.rmtree(run)
            shutil.rmtree(own)
    return {"tried": count, "survived": count - len(wrong), "failed": wrong}
