"""Two processes that torch's own launcher starts come to what one process comes to."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `together.py` wrote: one launch for all cases, for starting processes is what takes the time."""
    folder = tmp_path_factory.mktemp("together")
    path = os.pathsep.join([str(SOURCE), str(HERE), str(HERE.parent / "run")])
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", str(HERE / "together.py")]
    ended = subprocess.run([*command, str(folder)], env={**os.environ, "PYTHONPATH": path}, timeout=300,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    assert ended.returncode == 0, ended.stdout
    return json.loads((folder / "found.json").read_text())


@pytest.mark.parametrize(
    "case",
    [
        "copies",
        "in parts",
        "two players",
        "weighted",
        "three rows",
        "shares",
        "shares of momentum",
        "shares of muon",
        "copies alone copies",
        "shares alone shares",
        "copies shares alone",
        "table in copies",
        "table in shares",
        "pictures in copies",
        "pictures in shares",
    ],
)
def test_two_processes_learn_what_one_learns_alone(found: dict[str, Any], case: str) -> None:
    assert found[case] < 1e-6


def test_where_the_memory_of_one_process_ends_all_go_back_together(found: dict[str, Any]) -> None:
    (told,) = found["out of memory: told"]
    assert told == "The memory did not suffice for step 5: back to step 3, a step's rows in 2 parts."
    assert found["out of memory"] < 1e-6
