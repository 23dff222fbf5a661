"""Every kind of dirty file that people have met, each with what the command line says of it.

A message names the file, the row where there is one, what was found, what was expected, and what mends it.
"""

import gzip
import io
import os
import pickle
import shutil
import sqlite3
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import openpyxl
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from lamina.cli import app

Files = Mapping[str, str | bytes]

ROWS = [(round((7 * n % 40) / 3, 2), "ab"[n % 40 > 19], "uvw"[n % 3]) for n in range(60)]
TABLE = "x,z,y\n" + "".join(f"{x},{z},{y}\n" for x, y, z in ROWS)
FRAME = pl.DataFrame({"x": [x for x, _, _ in ROWS], "y": [y for _, y, _ in ROWS]})


def written(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def lamina(folder: Path, command: str) -> Result:
    before = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, command.split())
    finally:
        os.chdir(before)


def saved(write: Callable[[io.BytesIO], object]) -> bytes:
    target = io.BytesIO()
    write(target)
    return target.getvalue()


def png(side: int = 8, kind: str = "PNG", shade: int = 0) -> bytes:
    return saved(lambda target: Image.new("RGB", (side, side), (shade, 255 - shade, 0)).save(target, kind))


def vast_png() -> bytes:
    """A picture that claims 100,000 x 100,000 pixels."""
    data = bytearray(png(1))
    data[16:24] = struct.pack(">II", 100_000, 100_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def album(bad: Files = MappingProxyType({}), count: int = 12, classes: str = "ab") -> Files:
    """A folder of pictures, as many for each class, and some that are not."""
    good = {f"p/{name}/{n}.png": png(shade=n if name == "a" else 200 + n) for name in classes for n in range(count)}
    return {**good, **bad}


def zipped(files: Files) -> bytes:
    def write(target: io.BytesIO) -> None:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)

    return saved(write)


def lying_zip(name: str, content: bytes, claims: int) -> bytes:
    """A .zip that says of its one member that it is smaller than it is."""
    data = bytearray(zipped({name: content}))
    for head, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(head) + offset
        data[place : place + 4] = struct.pack("<I", claims)
    return bytes(data)


def tarred(kind: bytes, name: str = "d.csv") -> bytes:
    def write(target: io.BytesIO) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        with tarfile.open(fileobj=target, mode="w") as archive:
            archive.addfile(info)

    return saved(write)


def npz(**arrays: np.ndarray) -> bytes:
    return saved(lambda target: np.savez_compressed(target, **arrays))


def npy_head(shape: tuple[int, ...]) -> bytes:
    """The beginning of a .npy file that claims this shape, and no number."""
    text = repr({"descr": "<f8", "fortran_order": False, "shape": shape}).encode()
    text += b" " * (-(10 + len(text) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def parquet(frame: pl.DataFrame = FRAME) -> bytes:
    return saved(frame.write_parquet)


def endless_page() -> bytes:
    """A Parquet file one of whose pages claims -30 values, for which Polars asks 2^61 bytes of memory and aborts."""
    content = saved(lambda target: FRAME.write_parquet(target, compression="uncompressed", statistics=False))
    return content.replace(b"\x2c\x15\x78", b"\x2c\x15\x3b", 1)  # 60 values, as Thrift writes them


def database(script: str) -> bytes:
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(script)
        return connection.serialize()
    finally:
        connection.close()


def workbook(cells: Mapping[tuple[int, int], object]) -> bytes:
    book = openpyxl.Workbook()
    for (row, column), cell in cells.items():
        book.active.cell(row, column, cell)
    return saved(book.save)


class Trap:
    """Makes a folder when a pickle of it is loaded."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, ("it ran",)


P = "plan d.csv -p y"

TABLES: dict[str, tuple[str, Callable[[], Files], list[str]]] = {
    # Delimited text
    "an empty file": (P, lambda: {"d.csv": ""}, ["d.csv is empty", "a line of column names and rows"]),
    "nothing but line ends": (P, lambda: {"d.csv": "\r\n\n\n"}, ["d.csv is empty"]),
    "a header alone": (P, lambda: {"d.csv": "x,z,y\n"}, ["column names (x, z, y)", "no row below it"]),
    "a short row": (P, lambda: {"d.csv": TABLE + "1\n"}, ["line 62: 1 cell found, 3 expected", "'1'", "Fill in"]),
    "a long row": (P, lambda: {"d.csv": TABLE + "1,u,a,b\n"}, ["line 62: 4 cells found", "in quotation marks"]),
    "a NUL byte": (P, lambda: {"d.csv": TABLE + "1,u,\0\n"}, ["d.csv, line 62", "NUL byte", "as CSV in UTF-8"]),
    "bytes of a program": (P, lambda: {"d.csv": bytes(range(256)) * 9}, ["d.csv, line 1", "NUL byte"]),
    "UTF-16 cut in half": (
        P, lambda: {"d.csv": TABLE.encode("utf-16")[:-1]}, ["says it is UTF-16-LE but is not, at byte", "as UTF-8"],
    ),
    "UTF-16 with half a letter": (
        P, lambda: {"d.csv": TABLE.encode("utf-16") + b"\x00\xd8\x00\xd8"}, ["d.csv says it is UTF-16-LE but is not"],
    ),
    "a quotation mark never closed": (
        P, lambda: {"d.csv": '"x","z","y"\n"1","u","a"\n"2","v","b\n3,w,a\n'}, ["d.csv, line 3", "never closed", "Close"],
    ),
    "a quotation mark inside a cell": (
        P, lambda: {"d.csv": 'x,y\n1,a\n1,b "c" d, e\n'}, ["line 3", "encloses no whole cell", "doubled"],
    ),
    "two columns of one name": (P, lambda: {"d.csv": "x,y,x\n1,a,2\n"}, ["columns 1 and 3 are both called 'x'"]),
    "two separators": (
        P, lambda: {"d.csv": "x,y\n1,a\n2;b\n3,a\n"}, ["line 3: 1 cell found, 2 expected", "one separator throughout"],
    ),
    "two kinds of line end": (
        P, lambda: {"d.csv": "x,y\r\n1,a\r\n2,b\r3,a\r\n"}, ["line 3", "one kind of line end"],
    ),
    "a page that says not found": (
        P, lambda: {"d.csv": "<html>\n<body>\n<p>404, not found</p>\n</html>\n"}, ["line 3", "'<p>404, not found</p>'"],
    ),
    "a cell too long": (
        P, lambda: {"d.csv": TABLE + "1,u," + "a" * (65 << 20)}, ["a cell of 68,157,440 bytes", "at most 67,108,864"],
    ),
    "too many columns": (
        P, lambda: {"d.csv": ",".join(f"c{n}" for n in range(100_001)) + "\n"}, ["100,001 columns", "Split it"],
    ),
    "words among numbers": (
        f"{P} --set columns.x.kind=number", lambda: {"d.csv": TABLE + "".join(f"about {n},u,a\n" for n in range(9))},
        ["Column 'x' is a number, but 9 of 69", "d.csv, line 62, 'about 0'", "--set 'columns.x.missing=[\"about 0\"]'",
         "checks.unusable=0.15"],
    ),
    "endless numbers": (
        P, lambda: {"d.csv": TABLE + "inf,u,a\n-inf,u,a\n1e999,u,b\n+Infinity,u,b\n"},
        ["4 of 64 cells", "line 62, 'inf'; d.csv, line 63, '-inf'", "Mark them as gaps"],
    ),
    "days that do not exist": (
        P, lambda: {"d.csv":
            "t,y\n" + "".join(f"2024-0{n % 9 + 1}-{n // 3 + 1:02},{'ab'[n % 2]}\n" for n in range(60)) + "2024-13-45,a\n" * 9},
        ["Column 't' is a moment written %Y-%m-%d, but 9 of 69", "line 62, '2024-13-45'"],
    ),
    "one class only": (
        P, lambda: {"d.csv": "x,y\n" + "".join(f"{n * n % 17},a\n" for n in range(40))},
        ["'y' is to be predicted", "all 40 answers are 'a'", "rows with other answers"],
    ),
    "no answer at all": (
        P, lambda: {"d.csv": "x,y\n" + "".join(f"{n * n % 17},\n" for n in range(40))},
        ["none of its 40 cells holds a value"],
    ),
    "answers in a few rows": (
        P, lambda: {"d.csv": "x,y\n" + "".join(f"{n * n % 17},{'ab'[n % 2] if n < 5 else ''}\n" for n in range(40))},
        ["d.csv has 5 rows with an answer in 'y'", "at least 10", "fill in answers"],
    ),
    "columns of gaps": (
        P, lambda: {"d.csv": "x,z,y\n" + ",,a\n,,b\n" * 20},
        ["No column is left to learn from", "'x' (", "--set columns.x.role=input"],
    ),
    "the answer alone": (P, lambda: {"d.csv": "y\n" + "a\nb\n" * 20}, ["No column is left", "'y' alone", "other columns"]),
    "a misspelled column": (
        "plan d.csv -p Y", lambda: {"d.csv": TABLE}, ["no column 'Y' in d.csv. Did you mean 'y'? Columns: x, z, y"],
    ),
    "no column to predict": ("plan p", lambda: album(classes="a"), ["p holds 12 pictures", "a folder for each class"]),
    "prose": ("plan d.txt", lambda: {"d.txt": "Call me Ishmael.\nSome years ago\n"}, ["d.txt has 32 characters", "at least 2,560"]),
    # Compressed
    "a .gz cut short": (
        "plan d.csv.gz -p y", lambda: {"d.csv.gz": gzip.compress(TABLE.encode())[:-9]}, ["damaged .gz file", "again"],
    ),
    "a .gz that is none": ("plan d.csv.gz -p y", lambda: {"d.csv.gz": TABLE}, ["damaged .gz file", "Not a gzipped file"]),
    "a .gz made to fill the memory": (
        "plan d.csv.gz -p y", lambda: {"d.csv.gz": gzip.compress(bytes(80 << 20), 1)},
        ["d.csv.gz weighs", "made to fill a memory", "Parquet"],
    ),
    # Typed tables
    "a Parquet file cut short": (
        "plan d.parquet -p y", lambda: {"d.parquet": parquet()[:-20]}, ["d.parquet is not a sound Parquet file", "again"],
    ),
    "a Parquet file that is a CSV": ("plan d.parquet -p y", lambda: {"d.parquet": TABLE}, ["not a sound Parquet file"]),
    "a Parquet file without rows": (
        "plan d.parquet -p y", lambda: {"d.parquet": parquet(FRAME[:0])}, ["2 columns and 0 rows"],
    ),
    "a Parquet file made to fill the memory": (
        "plan d.parquet -p y", lambda: {"d.parquet": parquet(pl.select(y=pl.repeat(1, 18_000_000)))},
        ["d.parquet weighs", "unpacks to 18,000,000 cells", "made to fill a memory"],
    ),
    "a Parquet file that ends whoever reads it": (
        "plan d.parquet -p y", lambda: {"d.parquet": endless_page()},
        ["d.parquet is not a sound Parquet file", "ends any process that reads it", "Write or download it again"],
    ),
    "a Parquet file with bytes in cells": (
        "plan d.parquet -p y", lambda: {"d.parquet": parquet(FRAME.with_columns(b=pl.lit(b"xyz")))},
        ["column 'b' holds bytes that are no pictures", "drop it"],
    ),
    "an Arrow file cut short": (
        "plan d.arrow -p y", lambda: {"d.arrow": saved(FRAME.write_ipc)[:-20]}, ["d.arrow is not a sound Arrow file"],
    ),
    "JSON lines cut short": (
        "plan d.jsonl -p y", lambda: {"d.jsonl": '{"x": 1, "y": "a"}\n{"x": 2, "y'}, ["d.jsonl, line 2", "whole JSON"],
    ),
    "JSON lines with a list": (
        "plan d.jsonl -p y", lambda: {"d.jsonl": '{"x": 1}\n[1, 2]\n'}, ["line 2: '[1, 2]' is no JSON object", "{...}"],
    ),
    "JSON lines of two types": (
        "plan d.jsonl -p y", lambda: {"d.jsonl": '{"x": 1}\n{"x": {"a": 2}}\n'},
        ["line 2: 'x' is a list or object", "but a number in line 1", "one type in all lines"],
    ),
    "JSON lines with NaN": (
        "plan d.jsonl -p y", lambda: {"d.jsonl": '{"x": 1}\n{"x": NaN}\n'}, ["d.jsonl, line 2: NaN is no JSON", "null"],
    ),
    "JSON nested a million deep": (
        "plan d.jsonl -p y", lambda: {"d.jsonl": '{"x": 1}\n{"x": ' + "[" * 1_000_000}, ["line 2", "too deep"],
    ),
    "a JSON list nested a million deep": ("plan d.json -p y", lambda: {"d.json": "[" * 1_000_000}, ["d.json is no table"]),
    "a JSON list of numbers": ("plan d.json -p y", lambda: {"d.json": "[1, 2, 3]"}, ["d.json is no table", "an object"]),
    "a database cut short": (
        "plan d.db -p y",
        lambda: {"d.db": database("create table t (x, y);" + "insert into t values (1, 'a');" * 999)[:9000]},
        ["d.db is not a sound SQLite database"],
    ),
    "a database without rows": (
        "plan d.db -p y", lambda: {"d.db": database("create table t (x, y);")}, ["1 tables (t) and no row in any"],
    ),
    "an empty database": ("plan d.db -p y", lambda: {"d.db": ""}, ["d.db is empty", "again"]),
    "a workbook that is none": ("plan d.xlsx -p y", lambda: {"d.xlsx": TABLE}, ["not a sound Excel file", "as .xlsx"]),
    "a workbook with one cell far off": (
        "plan d.xlsx -p y", lambda: {"d.xlsx": workbook({(1, 1): "x", (2, 1): 1, (1_048_576, 16_384): 5})},
        ["sheet1.xml holds 3 cells in 1,048,576 rows and 16,384 columns", "Delete the cells that lie far off"],
    ),
    "a workbook made to fill the memory": (
        "plan d.xlsx -p y", lambda: {"d.xlsx": zipped({"xl/worksheets/sheet1.xml": bytes(80 << 20)})},
        ["d.xlsx weighs", "made to fill a memory"],
    ),
    # Arrays
    "arrays that are pickles": (
        "plan d.npz", lambda: {"d.npz": npz(X=np.array([Trap()], object))}, ["d.npz holds Python objects", "never loaded"],
    ),
    "an array that is a pickle": (
        "plan d.npy", lambda: {"d.npy": saved(lambda target: np.save(target, np.array([Trap()], object)))},
        ["d.npy holds Python objects", "array.astype"],
    ),
    "a pickle called an array": ("plan d.npy", lambda: {"d.npy": pickle.dumps(Trap())}, ["d.npy is not a sound NumPy"]),
    "arrays cut short": (
        "plan d.npz", lambda: {"d.npz": npz(X=np.ones((9, 9)))[:-30]}, ["d.npz is damaged", "Save or download it again"],
    ),
    "arrays of different lengths": (
        "plan d.npz", lambda: {"d.npz": npz(X=np.ones((9, 9)), y=np.ones(8))}, ["d.npz/X (9, 9), d.npz/y (8,)", "its row"],
    ),
    "no array": ("plan d.npz", lambda: {"d.npz": zipped({"notes.txt": "x"})}, ["d.npz holds no array", "np.savez"]),
    "an array that claims terabytes": (
        "plan d.npy", lambda: {"d.npy": npy_head((1 << 40,))}, ["d.npy is not a sound NumPy file", "again"],
    ),
    "arrays made to fill the memory": (
        "plan d.npz", lambda: {"d.npz": npz(X=np.zeros(10 << 20))}, ["d.npz weighs", "made to fill a memory"],
    ),
    "an IDX file without its mark": ("plan d.idx", lambda: {"d.idx": "x" * 99}, ["d.idx is no IDX file", "b'xxxx'"]),
    "an IDX file cut short": (
        "plan d.idx", lambda: {"d.idx": b"\0\0\x08\x03" + struct.pack(">III", 5, 28, 28) + b"\0" * 9},
        ["states 5 x 28 x 28 values and so 3,936 bytes, but holds 25"],
    ),
    # Archives
    "an archive that is none": ("plan d.zip -p y", lambda: {"d.zip": TABLE}, ["d.zip is not a sound .zip file", "again"]),
    "an archive of nothing": ("plan d.zip -p y", lambda: {"d.zip": zipped({})}, ["d.zip holds no file"]),
    "an archive that leads out": (
        "plan d.zip -p y", lambda: {"d.zip": zipped({"../d.csv": TABLE})}, ["'../d.csv' leads out", "relative names"],
    ),
    "an archive made to fill a disk": (
        "plan d.zip -p y", lambda: {"d.zip": zipped({"d.csv": bytes(80 << 20)})}, ["d.zip/d.csv weighs", "made to fill"],
    ),
    "an archive that lies about a size": (
        "plan d.zip -p y", lambda: {"d.zip": lying_zip("d.csv", bytes(99 << 20), 100)}, ["d.zip/d.csv cannot be unpacked"],
    ),
    "an archive with a link": ("plan d.tar -p y", lambda: {"d.tar": tarred(tarfile.SYMTYPE)}, ["'d.csv' is a link"]),
    "an archive with a device": ("plan d.tar -p y", lambda: {"d.tar": tarred(tarfile.CHRTYPE)}, ["a link or a device"]),
    "an archive in an archive": (
        "plan d.zip -p y", lambda: {"d.zip": zipped({"e.zip": zipped({"d.csv": TABLE})})}, ["nothing that can be read"],
    ),
    "a .tgz that is none": ("plan d.tgz -p y", lambda: {"d.tgz": TABLE}, ["d.tgz is not a sound .tar file"]),
    # Pictures
    "pictures of which none can be read": (
        "plan p", lambda: {f"p/{name}/{n}.png": "x" for name in "ab" for n in range(9)},
        ["none of the pictures looked at can be read", ".png is no picture", "it begins with b'x'"],
    ),
    "pictures of which many cannot be read": (
        "train p --set training.steps=1",
        lambda: album({"p/a/0.png": b"", "p/a/1.png": png()[:40], "p/b/0.png": vast_png(), "p/b/1.png": png(kind="TIFF")}),
        ["4 of 24 rows cannot be used, more than 5%", ": p/a/0.png is no picture that can be read: it is empty",
         "p/a/1.png is damaged or cut short", "p/b/0.png is too large", "checks.unusable=0.2"],
    ),
    "a picture beside the class folders": ("plan p", lambda: album({"p/x.png": png()}), ["p/x.png lies in no class folder"]),
    "pictures that lead out of the folder": (
        "plan d/t.csv -p y",
        lambda: {"secret.png": png(), "d/t.csv": "f,y\n" + "../secret.png,a\n../secret.png,b\n" * 20}, ["No column is left"],
    ),
    "pictures that are not there": (
        "plan t.csv -p y --set columns.f.kind=image", lambda: {"t.csv": "f,y\n" + "1.png,a\n2.png,b\n" * 20},
        ["no pictures were found for its cells"],
    ),
    # Plans, settings, weights, splits
    "a plan with a wrong key": (
        f"{P} --plan p.yaml", lambda: {"d.csv": TABLE, "p.yaml": "hiden: {width: 3}"}, ["no key 'hiden'", "'hidden'"],
    ),
    "a plan with a word for a number": (
        f"{P} --plan p.yaml", lambda: {"d.csv": TABLE, "p.yaml": "hidden: {width: wide}"}, ["hidden.width: 'wide'"],
    ),
    "a plan of references": (
        f"{P} --plan p.yaml", lambda: {"d.csv": TABLE, "p.yaml": "a: &a [1]\nb: *a\n"}, ["p.yaml", "Write each value out"],
    ),
    "a plan that runs code": (
        f"{P} --plan p.yaml", lambda: {"d.csv": TABLE, "p.yaml": "a: !!python/object/apply:os.mkdir ['it ran']"},
        ["p.yaml, line 1", "could not determine a constructor"],
    ),
    "a plan that is no text": (
        f"{P} --plan p.yaml", lambda: {"d.csv": TABLE, "p.yaml": bytes(range(256))}, ["p.yaml is no text in UTF-8", "0x80"],
    ),
    "a plan that is a list": (f"{P} --plan p.yaml", lambda: {"d.csv": TABLE, "p.yaml": "[1]"}, ["found list"]),
    "a plan for another table": (
        f"{P} --plan p.yaml", lambda: {"d.csv": TABLE, "p.yaml": "columns: {xx: {kind: text}}"}, ["'xx' in d.csv", "'x'?"],
    ),
    "a kind that is none": (f"{P} -s columns.x.kind=nummer", lambda: {"d.csv": TABLE}, ["'nummer'", "mean 'number'"]),
    "weights that run code": (
        "train p --set hidden.name=resnet18 --set hidden.weights=w.pth", lambda: album({"w.pth": pickle.dumps(Trap())}),
        ["w.pth", "was not opened", ".safetensors"],
    ),
    "a split by a column that is not there": (f"{P} --split prat", lambda: {"d.csv": TABLE}, ["'prat'", "nor a column"]),
    "a split by other words": (
        f"{P} --split z", lambda: {"d.csv": TABLE}, ["--split z: d.csv, line 2 says", "Use train, valid and test"],
    ),
    "a test without the answers": (
        f"{P} --test e.csv", lambda: {"d.csv": TABLE, "e.csv": "x,z\n1,u\n"}, ["e.csv has no 'y'", "predict it later"],
    ),
    "a test of other columns": (
        f"{P} --test e.csv", lambda: {"d.csv": TABLE, "e.csv": "q,z,y\n1,u,a\n"}, ["e.csv has no 'x'", "'q', which d.csv"],
    ),
    "data that is not there": ("plan e.csv", lambda: {"d.csv": TABLE}, ["e.csv does not exist. Did you mean 'd.csv'?"]),
    "an unknown format": ("plan d.doc", lambda: {"d.doc": TABLE}, ["d.doc cannot be read", "Tables (.csv"]),
    "a place that holds something else": ("train d.csv -p y --out o", lambda: {"d.csv": TABLE, "o/a": "b"}, ["not a run (a)"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_dirty_file_is_named_with_what_mends_it(name: str, tmp_path: Path) -> None:
    command, files, words = TABLES[name]
    written(tmp_path, files())
    result = lamina(tmp_path, command)
    said(result, 1, words)
    assert not (tmp_path / "it ran").exists()
    assert not list(tmp_path.glob("runs/*"))  # what cannot be used leaves no run


def said(result: Result, code: int, words: list[str]) -> None:
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


# ---- when a network that has learned is asked ---------------------------------------------------------------------------

QUICK = "--set training.steps=2 --set training.ensemble=1 --set split.test=0.2"


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of a table and a run of pictures."""
    folder = tmp_path_factory.mktemp("learned")
    written(folder, {"d.csv": TABLE, **album()})
    for command in (f"train d.csv -p y --out table {QUICK}", f"train p --out pictures {QUICK}"):
        result = lamina(folder, command)
        assert result.exit_code == 0, result.stderr
    return folder


ASKED: dict[str, tuple[str, Callable[[], Files], int, list[str]]] = {
    "a column is missing": (
        "predict table n.csv", lambda: {"n.csv": "z\nu\n"}, 1,
        ["n.csv has no column 'x', which the network reads", "Rename a column, or add 'x'", "leave its cells empty"],
    ),
    "a column is misspelled": ("predict table n.csv", lambda: {"n.csv": "X,z\n1,u\n"}, 1, ["'x'", "Did you mean 'X'?"]),
    "it is another table": ("predict table n.csv", lambda: {"n.csv": "p,q\n1,2\n"}, 1, ["none of 'x', 'z'", "'p', 'q'"]),
    "words stand among numbers": (
        "predict table n.csv", lambda: {"n.csv": "x,z\n1,u\nmany,u\n"}, 1,
        ["Column 'x' is a number, but 1 of 2", "n.csv, line 3, 'many'", "leave the cell empty"],
    ),
    "few words stand among numbers": (
        "predict table n.csv", lambda: {"n.csv": "x,z\n" + "1,u\n" * 40 + "many,u\n"}, 0,
        ["warning: n.csv, line 42, column 'x': 'many' is not a number"],
    ),
    "a category is new": ("predict table n.csv", lambda: {"n.csv": "x,z\n1,unheard of\n2,u\n"}, 0, []),
    "a row is short": ("predict table n.csv", lambda: {"n.csv": "x,z\n1,u\n2\n"}, 1, ["n.csv, line 3: 1 cell found"]),
    "there is no row": ("predict table n.csv", lambda: {"n.csv": "x,z\n"}, 1, ["no row below it"]),
    "the file is empty": ("predict table n.csv", lambda: {"n.csv": ""}, 1, ["n.csv is empty"]),
    "the answers are missing": ("evaluate table n.csv", lambda: {"n.csv": "x,z\n1,u\n"}, 1, ["no column 'y'"]),
    "the answers are all new": (
        "evaluate table n.csv", lambda: {"n.csv": "x,z,y\n1,u,q\n"}, 1, ["No row can be judged", "n.csv, line 2", "'q'"],
    ),
    "the answers are gaps": (
        "evaluate table n.csv", lambda: {"n.csv": "x,z,y\n1,u,\n2,v,\n"}, 1, ["No row can be judged", "n.csv, line 2"],
    ),
    "pictures in an archive are damaged": (
        "predict pictures n.zip", lambda: {"n.zip": zipped({"1.png": png(), "2.png": b"", "3.png": vast_png()})}, 0,
        ["warning: n.zip, picture 2: n.zip/2.png is no picture", "n.zip/3.png is too large"],
    ),
    "an archive lies about a size": (
        "predict pictures n.zip", lambda: {"n.zip": lying_zip("1.png", bytes(99 << 20), 100)}, 0,
        ["n.zip/1.png cannot be unpacked"],
    ),
    "an archive leads out": ("predict pictures n.zip", lambda: {"n.zip": zipped({"../1.png": png()})}, 1, ["leads out"]),
    "an archive is none": ("predict pictures n.zip", lambda: {"n.zip": "x"}, 1, ["n.zip is not a sound .zip file"]),
    "an archive holds no picture": ("predict pictures n.zip", lambda: {"n.zip": zipped({"a.txt": "x"})}, 1, ["1 .txt"]),
    "a table names pictures that are not there": (
        "predict pictures n.csv", lambda: {"n.csv": "image\n1.png\n2.png\n"}, 1,
        ["Column 'image' holds pictures, but none of them was found", "n.csv, line 2, '1.png'", "Give the folder"],
    ),
    "a table names pictures outside its folder": (
        "predict pictures n/n.csv", lambda: {"1.png": png(), "n/2.png": png(), "n/n.csv": "image\n2.png\n../1.png\n"}, 0,
        ["n.csv, line 3", "../1.png was not found in n"],
    ),
    "a picture is a table": ("predict pictures n.csv", lambda: {"n.csv": "x,z\n1,u\n"}, 1, ["no column 'image'"]),
    "a table is pictures": ("predict table p", dict, 1, ["none of 'x', 'z'"]),
    "the answers go where a folder is": (
        "predict table d.csv --out o.csv", lambda: {"o.csv/a": "b"}, 1, ["o.csv: this is a folder, where a file is needed", "Choose another place"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_of_a_network_is_named_where_it_does_not_do(name: str, learned: Path, tmp_path: Path) -> None:
    command, files, code, words = ASKED[name]
    for made in ("table", "pictures", "p", "d.csv"):
        (tmp_path / made).symlink_to(learned / made)
    written(tmp_path, files())
    said(lamina(tmp_path, command), code, words)


def test_a_run_in_which_a_byte_was_changed_is_not_asked(learned: Path, tmp_path: Path) -> None:
    shutil.copytree(learned / "table", tmp_path / "table")
    weights = bytearray((tmp_path / "table" / "network.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "table" / "network.safetensors").write_bytes(weights)
    written(tmp_path, {"n.csv": TABLE})
    said(
        lamina(tmp_path, "predict table n.csv"),
        1,
        ["network.safetensors is not the file that was written", "Copy the run anew"],
    )
