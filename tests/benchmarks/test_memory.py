"""The benchmark of memory: data of any weight, the sampling of private memory, and its page."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from benchmarks.keeping import code_fingerprint, newest
from benchmarks.memory.__main__ import keep
from benchmarks.memory.data import NUMBERS, forget, photos, table
from benchmarks.memory.page import page
from benchmarks.memory.rows import Size
from benchmarks.memory.watch import Shares, watched

HOLDS = "import time; held = bytearray(b'x' * {size} * 2 ** 20); time.sleep(1)"


def test_photographs_are_all_different_files_of_four_classes(tmp_path: Path) -> None:
    weight = photos(tmp_path, 405)
    files = sorted(tmp_path.rglob("*.jpg"))
    assert len({path.read_bytes() for path in files}) == 405
    assert sum(path.stat().st_size for path in files) == weight
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2", "3"]
    forget(tmp_path)  # what is dropped from the page cache is read again
    with Image.open(files[-1]) as picture:
        assert picture.size == (640, 480) and picture.convert("L").getextrema()[1] > 200


def test_a_table_of_any_length_repeats_its_block(tmp_path: Path) -> None:
    weight = table(tmp_path / "a.csv", 400_000)
    frame = pl.read_csv(tmp_path / "a.csv")
    assert weight == (tmp_path / "a.csv").stat().st_size
    assert frame.shape == (400_000, NUMBERS + 1)
    assert frame[:200_000].equals(frame[200_000:]) and frame["answer"].n_unique() == 2


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc, which only Linux has")
def test_memory_of_children_is_counted_and_that_of_mapped_files_is_not(tmp_path: Path) -> None:
    child = HOLDS.format(size=60)
    both = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]); {HOLDS.format(size=40)}"
    assert 100 <= watched([sys.executable, "-c", both], os.environ).private_mib < 200
    (tmp_path / "file").write_bytes(bytes(80 << 20))
    opened = f"import mmap, time; file = open({str(tmp_path / 'file')!r}, 'rb')"
    maps = f"{opened}; held = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ); sum(held[::4096]); time.sleep(1)"
    found = watched([sys.executable, "-c", maps], os.environ)
    assert found.private_mib < 40 and found.seconds >= 1


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads /proc, which only Linux has")
def test_what_a_process_and_its_forked_children_share_counts_once() -> None:
    forked = (
        "import os, time; shared = bytearray(b'x' * 80 * 2 ** 20); child = os.fork(); "
        "own = bytearray(b'y' * 30 * 2 ** 20) if child == 0 else b''; time.sleep(1.5)"
    )
    with subprocess.Popen([sys.executable, "-c", forked]) as process:
        shares = Shares(process.pid)
        process.wait()
        held = shares.end()
    assert 110 <= held < 160


def test_a_command_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        watched([sys.executable, "-c", "raise SystemExit('no such thing')"], os.environ)


def test_a_row_is_measured_kept_once_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.memory.rows.ROW_STEPS", 20)
    monkeypatch.setattr("benchmarks.memory.rows.ROW_LOOK", 5)
    code = code_fingerprint()
    for _ in range(2):
        keep("rows", Size(2_000, 4_000), code, True, tmp_path / "results", tmp_path / "work")
    assert not any((tmp_path / "work").iterdir())
    assert capsys.readouterr().out.splitlines()[-1].endswith("has a result for this code")
    kept = newest(tmp_path / "results", code)
    cases = kept["rows"]["cases"]
    assert list(cases) == ["small", "large", "large, cold"]
    assert cases["large"]["count"] == 4_000 and 50 < cases["large"]["predict"]["private_mib"] < 2_000
    assert cases["large"]["train"]["prepared_a_second"] > 0 < cases["large"]["train"]["learned_a_second"]
    shown, later = page(kept, code), page(kept, "4567")
    assert "4,000 rows of a table" in shown and "older code" not in shown
    assert "(older code), cold | predict" in later and "with 2 times the data, train holds" in later
