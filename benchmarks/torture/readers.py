"""Every reader as a function of bytes, and small sound files to begin with: what fuzzing drives and tests replay.

A reader answers any bytes with what it read or with a LaminaError. Anything else that it raises is a mistake of ours.
Formats that carry checksums of their own are packed here around the bytes, or nearly every change would only ever show
that checksums are looked at.
"""

import atexit
import contextlib
import gzip
import io
import pickle
import shutil
import sqlite3
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from lamina.data import decode, read, size
from lamina.ground import LaminaError

CSV = "day,x,z,text,y\n" + "".join(
    f'2024-01-{n + 1:02},{7 * n % 13 / 4},{"uvw"[n % 3]},"a, ""word"" {n}",{"ab"[n * n % 3 % 2]}\n' for n in range(24)
)
TAGGED = "".join(f"-DOCSTART- O\n\n# {n}\nAnn\tB-x\nIn{n}\tI-x\n\n.\tO\n\n" for n in range(12))
UNIVERSAL = "".join(
    f"# {n}\n1-2\tdu{chr(9)}{chr(9).join('_' * 8)}\n1\tde\t_\tADP{chr(9)}{chr(9).join('_' * 6)}\n\n" for n in range(12)
)
CHAT = "conversations:\n" + "".join(f"- - Who is {n}?\n  - 'It: {n}'\n  - |\n    Two\n    lines\n" for n in range(9))
SECRET = Image.new("L", (3, 3), 77)
"""A picture beside the folder that a table lies in: no cell may open it."""


@dataclass(frozen=True)
class Reader:
    """What takes bytes, and bytes that it takes gladly."""

    take: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]


def _file(suffix: str) -> Callable[[bytes], object]:
    """Reading a file of this suffix."""

    def take(data: bytes) -> object:
        path = _folder() / f"d{suffix}"
        path.write_bytes(data)
        return _opened(path)

    return take


def _opened(path: Path) -> object:
    """What a path holds, with its first pictures opened, as a training opens them."""
    table = read(path)
    for column in table.media:
        for reference in table.frame[column].drop_nulls().head(3):
            try:
                decode(table.open(column, reference), reference, max_pixels=1_000_000)
            except LaminaError:
                continue
    return table


@cache
def _folder() -> Path:
    """A folder of this process, which goes with it."""
    folder = tempfile.mkdtemp(prefix="lamina-readers-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _saved(write: Callable[[io.BytesIO], object]) -> bytes:
    target = io.BytesIO()
    write(target)
    return target.getvalue()


def _zipped(files: Mapping[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    def write(target: io.BytesIO) -> None:
        with zipfile.ZipFile(target, "w", packing) as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(name), content, packing)

    return _saved(write)


# ---- tables --------------------------------------------------------------------------------------------------------


def _frame() -> pl.DataFrame:
    return pl.read_csv(CSV.encode(), try_parse_dates=True)


def _delimited() -> list[bytes]:
    plain = CSV.encode()
    return [
        plain, plain.replace(b",", b"\t"), plain.replace(b"\n", b"\r\n"), CSV.encode("utf-16"), b"\xef\xbb\xbf" + plain,
        b"1 2.5 3\n4 5 6\n", "name;n\né;1,5\n".encode("latin-1"), b'a|b\n"x\ny"|2\n\n',
    ]  # fmt: skip


def _json() -> list[bytes]:
    lines = _saved(_frame().write_ndjson)
    return [lines, _saved(_frame().write_json), b'{"a": [1, {"b": null}]}\n{"a": []}\n', b'{"a": 1}\n{"a": "x"}\n']


def _parquet() -> list[bytes]:
    frame = _frame()
    return [_saved(lambda target, how=how: frame.write_parquet(target, compression=how))  # type: ignore[misc]
            for how in ("uncompressed", "zstd", "snappy")]  # fmt: skip


def _database() -> list[bytes]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("pragma page_size = 512")
        connection.execute("create table t (x real, z text, b)")
        connection.executemany("insert into t values (?, ?, ?)", [(n / 3, "ab"[n % 2], n) for n in range(40)])
        return [connection.serialize()]
    finally:
        connection.close()


_BOOK = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default '
    'Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
    'Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://'
    'schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="s" sheetId="1" r:id="r1"/>'
    "</sheets></workbook>",
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}
"""A workbook but for its one sheet."""


def _excel(data: bytes) -> object:
    """A workbook with these bytes as its sheet."""
    parts = {name: content.encode() for name, content in _BOOK.items()}
    return _file(".xlsx")(_zipped({**parts, "xl/worksheets/sheet1.xml": data}, zipfile.ZIP_STORED))


def _sheet() -> list[bytes]:
    head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c></row><row r="2"><c r="A2"><v>3</v></c></row>'
    return [f"{head}{rows}</sheetData></worksheet>".encode()]


# ---- arrays, archives, pictures ------------------------------------------------------------------------------------


def _npy() -> list[bytes]:
    arrays = [
        np.eye(3),
        np.array(["a", "bc"]),
        np.arange("2024-01-01", "2024-01-07", dtype="M8[D]"),
        np.zeros((2, 3, 3), np.float32),
    ]
    return [_saved(lambda target, array=array: np.save(target, array)) for array in arrays]  # type: ignore[misc]


def _npz(data: bytes) -> object:
    """Pictures and their labels: the bytes are two arrays, one behind the other."""
    cut = data.find(b"\x93NUMPY", 1)
    parts = {"x_train.npy": data[:cut], "y_train.npy": data[cut:]} if cut > 0 else {"x.npy": data}
    return _file(".npz")(_zipped(parts))


def _idx() -> list[bytes]:
    return [
        b"\0\0\x08\x03" + struct.pack(">III", 2, 3, 3) + bytes(range(18)),
        b"\0\0\x0d\x02" + struct.pack(">II", 2, 1) + struct.pack(">ff", 1.5, -2.0),
    ]


def _members() -> dict[str, bytes]:
    return {"p/a/1.png": _picture("PNG"), "p/b/2.gif": _picture("GIF"), "p/README.md": b"about"}


def _zips() -> list[bytes]:
    packings = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    return [_zipped(_members(), how) for how in packings] + [_zipped({"d.csv": CSV.encode()})]


def _tars() -> list[bytes]:
    def write(target: io.BytesIO, form: int) -> None:
        with tarfile.open(fileobj=target, mode="w", format=form) as archive:
            for name, content in {**_members(), f"{'long' * 40}.csv": CSV.encode()}.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))

    return [_saved(lambda target, form=form: write(target, form)) for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)]  # type: ignore[misc]


def _picture(kind: str, mode: str = "RGB") -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    return _saved(lambda target: Image.fromarray(noise).convert(mode).save(target, kind))


def _pictures() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = _saved(lambda target: Image.new("RGB", (4, 3)).save(target, "JPEG", exif=exif))
    frames = [Image.new("L", (3, 3), shade) for shade in (1, 200)]
    film = _saved(lambda target: frames[0].save(target, "GIF", save_all=True, append_images=frames[1:]))
    large = _saved(lambda target: Image.linear_gradient("L").resize((40, 24)).save(target, "JPEG"))
    kinds = [large, *(_picture(kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "PPM"))]
    return [*kinds, _picture("PNG", "P"), _picture("JPEG", "CMYK"), turned, film, b"P5 2 2 65535\n" + bytes(8)]


def _decode(data: bytes) -> object:
    with contextlib.suppress(LaminaError):  # a picture may show its size and be damaged behind
        size(data)
    found = decode(data, "a.png", max_pixels=1_000_000)
    height, width, _ = found.shape
    for part in (2, 8):  # a JPEG is decoded at a part of its sides by code of its own
        enough = (max(height // part, 1), max(width // part, 1))
        smaller = decode(data, "a.png", max_pixels=1_000_000, enough=enough)
        assert smaller.shape[0] >= enough[0] and smaller.shape[1] >= enough[1], "smaller than is enough"
    return found


# ---- plans and weights ---------------------------------------------------------------------------------------------


def _plan(data: bytes) -> object:
    """A plan file, laid over nothing."""
    from lamina.api.request import read_request
    from lamina.network import plan_from_plain

    path = _folder() / "plan.yaml"
    path.write_bytes(data)
    return plan_from_plain(read_request(["d.csv"], [], None, path, None, None, None, None).given)


def _plans() -> list[bytes]:
    from lamina.api import make_plan

    frame = _frame()
    return [make_plan(frame, predict="y").yaml.encode(), b"predict: y\nhidden: {name: mlp, width: 8}\n", b"a: &a [1]\n"]


def _weights(data: bytes) -> object:
    """A file as torch.save writes it, with these bytes as its pickle."""
    from lamina.hidden.weights_file import read_weights

    path = _folder() / "w.pth"
    parts = {"w/data.pkl": data, "w/data/0": bytes(24), "w/data/1": bytes(16), "w/version": b"3\n",
             "w/byteorder": b"little"}  # fmt: skip
    path.write_bytes(_zipped(parts, zipfile.ZIP_STORED))
    return read_weights(path)


def _pickles() -> list[bytes]:
    import torch

    whole = _saved(lambda target: torch.save({"state_dict": {"a": torch.ones(2, 3), "b": torch.zeros(4)}}, target))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        index = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        return [archive.read(index), pickle.dumps({"a": [1, 2]})]


def _tensors(data: bytes) -> object:
    from lamina.ground import load_tensors

    path = _folder() / "n.safetensors"
    path.write_bytes(data)
    return load_tensors(path)


def _heads() -> list[bytes]:
    import torch
    from safetensors.torch import save

    return [save({"a": torch.ones(2, 3), "b.c": torch.zeros(4, dtype=torch.int64)})]


# ---- more than one file --------------------------------------------------------------------------------------------


def _paths(data: bytes) -> object:
    """A table whose cells name pictures; one lies beside the folder, and one inside is a link to it."""
    outside = _folder() / "outside"
    inside = outside / "inside"
    if not inside.exists():
        inside.mkdir(parents=True)
        SECRET.save(outside / "secret.png")
        Image.new("L", (2, 2), 5).save(inside / "ok.png")
        (inside / "link.png").symlink_to(outside / "secret.png")
        (inside / "up").symlink_to(outside)
    (inside / "t.csv").write_bytes(data)
    table = read(inside / "t.csv")
    for column in table.media:
        for reference in table.frame[column].drop_nulls():
            try:
                found = decode(table.open(column, reference), reference)
            except LaminaError:
                continue
            assert not (found == 77).all(), f"{reference} opened a picture outside the folder"
    return table


def _cells() -> list[bytes]:
    cells = ["ok.png", "../secret.png", "link.png", "up/secret.png", "./x/../ok.png", "..\\secret.png", "/etc/a.png"]
    return ["\n".join(["f,y", *(f"{cell},{n}" for n, cell in enumerate([*cells, *cells[:1] * 99]))]).encode()]


PROSE = "".join(f"It was{', as they say,' * (n % 3)} the {n}th of May.{chr(10) * (n % 4)}" for n in range(40))


def _lines(data: bytes) -> object:
    """Two files of lines that belong together, cut from the bytes at the first byte 1."""
    one, _, other = data.partition(b"\x01")
    for suffix, content in ((".en", one), (".de", other)):
        (_folder() / f"l{suffix}").write_bytes(content)
    return read([_folder() / "l.en", _folder() / "l.de"])


def _study(data: bytes) -> object:
    """All that happens to a table before anything is learned from it."""
    from lamina.run import study

    path = _folder() / "s.csv"
    path.write_bytes(data)
    return study(read(path), (), {}, 0)


def _tagged(data: bytes) -> object:
    """Sentences, and which of their columns are tags of words."""
    from lamina.run import study

    path = _folder() / "t.conll"
    path.write_bytes(data)
    return study(read(path), (), {}, 0)


READERS: dict[str, Reader] = {
    "tagged": Reader(
        _tagged, lambda: [TAGGED.encode(), TAGGED.replace("\t", " ").encode("utf-16"), UNIVERSAL.encode()]
    ),
    "delimited": Reader(_file(".csv"), _delimited),
    "text": Reader(
        _file(".txt"), lambda: [PROSE.encode(), PROSE.encode("utf-16"), PROSE.replace("\n", "\r\n").encode()]
    ),
    "lines": Reader(_lines, lambda: [b"a dog\ntwo cats\n\x01ein Hund\nzwei Katzen\n"]),
    "dialogues": Reader(_file(".yml"), lambda: [CHAT.encode(), CHAT.encode("utf-16")]),
    "gz": Reader(_file(".csv.gz"), lambda: [gzip.compress(CSV.encode(), mtime=0)]),
    "json": Reader(_file(".json"), _json),
    "parquet": Reader(_file(".parquet"), _parquet),
    "arrow": Reader(_file(".arrow"), lambda: [_saved(_frame().write_ipc), _saved(_frame().write_ipc_stream)]),
    "sqlite": Reader(_file(".sqlite"), _database),
    "excel": Reader(_excel, _sheet),
    "npy": Reader(_file(".npy"), _npy),
    "npz": Reader(_npz, lambda: [*_npy(), _npy()[3] + _npy()[1]]),
    "idx": Reader(_file(".idx"), _idx),
    "zip": Reader(_file(".zip"), _zips),
    "tar": Reader(_file(".tar"), _tars),
    "picture": Reader(_decode, _pictures),
    "paths": Reader(_paths, _cells),
    "study": Reader(_study, lambda: [CSV.encode(), *_cells()]),
    "plan": Reader(_plan, _plans),
    "weights": Reader(_weights, _pickles),
    "tensors": Reader(_tensors, _heads),
}
"""By name, as in the rows `fuzz-<name>` of the torture."""
