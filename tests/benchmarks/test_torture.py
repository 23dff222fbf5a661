"""A short torture on every change; `scripts/torture` is the long one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.torture import results
from benchmarks.torture.fuzz import replayed
from benchmarks.torture.page import page
from benchmarks.torture.readers import READERS
from benchmarks.torture.rows import ROWS

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
    assert found["survived"] == 20, found


def test_a_finding_is_replayed_in_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "sound").write_bytes(READERS["idx"].seeds()[0])
    assert replayed("idx", tmp_path / "sound") is None
    (tmp_path / "text").write_text("no IDX file")
    assert replayed("idx", tmp_path / "text") is None
    assert "KeyError: 'nothing'" in str(replayed("nothing", tmp_path / "sound"))


@pytest.mark.parametrize("row, count", [("pictures", 1), ("flips", 300), ("hostile", 100), ("ranks", 2)])
def test_what_is_killed_damaged_or_made_to_harm_does_none(row: str, count: int) -> None:
    found = torture(row, count)
    assert found["survived"] == found["tried"] > 0, found


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_whatever_system_call_of_saving_fails_a_checkpoint_is_there() -> None:
    found = torture("calls", 24)
    assert (found["survived"], found["tried"]) == (24, 24) and found["ways"] > 300, found


def test_the_page_says_what_was_measured_with_which_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    piece = {"code": ROWS["flips"].code(), "asked": 250, "seed": 0, "tried": 250, "survived": 250, "seconds": 360.0}
    results.write("flips", 0, piece)
    results.write("flips", 1, piece | {"seed": 1, "survived": 249, "code": "0123456789ab"})
    lines = {line.split(" | ")[0]: line for line in page().splitlines()}
    assert "| 499 (failed: seed 1) | 500 (500 to go) | 0.2 | 0123456789ab (older), " in lines["| flips"]
    assert "not measured | 200" in lines["| kills"]
