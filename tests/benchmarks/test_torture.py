"""A short torture on every change; `scripts/torture` is the long one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def torture(row: str, count: int) -> dict[str, Any]:
    """A row in a process of its own: its children are copies of it, and pytest with its threads is not one to copy."""
    code = f"import json; from benchmarks.torture import {row}; print(json.dumps({row}.run({count}, 0)))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_trainings_killed_three_times_each_end_with_the_weights_of_one_that_nobody_killed() -> None:
    found = torture("kills", 20)
    assert found["identical"] == 20 and found["kills"] >= 30, found


@pytest.mark.parametrize("row, count", [("flips", 300), ("hostile", 100)])
def test_no_damaged_or_hostile_file_is_loaded(row: str, count: int) -> None:
    found = torture(row, count)
    assert found["passed"], found
