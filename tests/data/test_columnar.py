"""Parquet and Arrow files: what is claimed in them is not believed, and what ends a process ends another one."""

import gzip
import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest

from lamina.data import read
from lamina.ground import DataError, MachineError

FRAME = pl.DataFrame({"x": [n / 4 for n in range(24)], "y": ["ab"[n % 2] for n in range(24)]})


def parquet(frame: pl.DataFrame = FRAME) -> bytes:
    target = io.BytesIO()
    frame.write_parquet(target, compression="uncompressed", statistics=False)
    return target.getvalue()


def claiming_a_vast_page(values: bytes) -> bytes:
    """A Parquet file in whose pages of 24 values one claims another number of them, as Thrift writes numbers.

    In a page's head the field after the sizes is a struct (0x2c), which begins with the number of values (0x15).
    """
    content = parquet()
    assert content.count(b"\x2c\x15\x30") >= 1, "24 is written as 0x30"
    return content.replace(b"\x2c\x15\x30", b"\x2c\x15" + values, 1)


VAST = claiming_a_vast_page(b"\x3b")
"""A page of -30 values: Polars asks for 2^61 bytes, does not get them, and aborts."""


def ended(code: str, *arguments: str) -> int:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=False).returncode


def test_the_hostile_file_ends_a_process_that_reads_it(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(VAST)
    assert ended("import polars, sys; polars.read_parquet(sys.argv[1])", str(tmp_path / "a.parquet")) < 0


@pytest.mark.parametrize("how", ["plain", "packed", "in an archive", "behind a sound one"])
def test_a_file_that_ends_whoever_reads_it_is_refused(tmp_path: Path, how: str) -> None:
    path, name = tmp_path / "a.parquet", "a.parquet"
    if how == "packed":
        path = tmp_path / (name := "a.parquet.gz")
        path.write_bytes(gzip.compress(VAST))
    elif how == "in an archive":
        path, name = tmp_path / "a.zip", "a.zip/a.parquet"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.parquet", VAST)
    else:
        path.write_bytes(VAST)
    if how == "behind a sound one":
        (tmp_path / "0.parquet").write_bytes(parquet())
        path, name = tmp_path, f"{tmp_path.name}/a.parquet"
    with pytest.raises(DataError, match=rf"^{re.escape(name)} is not a sound Parquet file: it ends any process"):
        read(path)


def test_sound_files_of_a_folder_are_read_behind_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(parquet())
    (tmp_path / "b.parquet.gz").write_bytes(gzip.compress(parquet()))
    FRAME.write_ipc(tmp_path / "c.arrow")
    assert read(tmp_path).frame.equals(pl.concat([FRAME] * 3))


def test_a_damaged_file_is_told_as_such_and_not_as_one_that_ends_processes(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(parquet()[:-20])
    (tmp_path / "b.parquet").write_bytes(claiming_a_vast_page(b"\x32"))  # 25 values where there are 24
    for name in ("a", "b"):
        with pytest.raises(DataError, match=rf"{name}.parquet is not a sound Parquet file: (?!it ends)"):
            read(tmp_path / f"{name}.parquet")


def test_without_another_process_it_is_said_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.parquet").write_bytes(parquet())
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    with pytest.raises(MachineError, match="could not be started: .*No such file"):
        read(tmp_path / "a.parquet")
    (tmp_path / "broken").write_text("#!/bin/sh\necho no room >&2\nexit 3\n")
    (tmp_path / "broken").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "broken"))
    with pytest.raises(MachineError, match="did not start .exit code 3: no room"):
        read(tmp_path / "a.parquet")
