"""Answers written out: to a file or to standard output, a piece at a time."""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lamina.api.run import Run, load
from lamina.data import PICTURES
from lamina.ground import UsageError, listing, system_errors, whole_file
from lamina.run import image, png, sheet

_SUFFIXES = (".csv", ".parquet", ".jsonl")
_PICTURES = (".png", "")
"""How a place for enlarged photos ends: a file, or a folder."""
_COLUMNS = 8
"""Pictures beside each other on a sheet, where there are no classes to give a column each."""
_MOST_COLUMNS = 16
_MOST_NAMED = 5


def predict_to(
    run: str, data: Sequence[str], row: Sequence[str], out: str | None, confidence: bool, as_json: bool
) -> None:
    """The verb `predict`: answers for data or for one row, written where they are wanted.

    Raises:
        UsageError: without rows, or for a kind of file that is not written.
    """
    if bool(data) == bool(row):
        raise UsageError("Give either DATA or one --row COLUMN=VALUE for each column.")
    if out is not None and Path(out).suffix in _PICTURES and len(data) == 1 and load(run).task == "enlarge":
        _enlarge_to(run, data[0], Path(out))
        return
    if out is not None and Path(out).suffix not in _SUFFIXES:
        raise UsageError(f"--out {out}: answers are written as {', '.join(_SUFFIXES)}.")
    held = load(run)
    pieces = held.predictions(_one_row(row) if row else data[0], *data[1:], confidence=confidence)
    if out is None:
        _print(pieces, as_json)
    else:
        rows = _write(pieces, Path(out))
        print(f"{rows:,} answers in {out}", file=sys.stderr)
    for problem in held.problems[:_MOST_NAMED]:
        print(f"warning: {problem}", file=sys.stderr)
    if len(held.problems) > _MOST_NAMED:
        print(f"warning: and {len(held.problems) - _MOST_NAMED:,} more", file=sys.stderr)


def _enlarge_to(run: str, photo: str, out: Path) -> None:
    """A photo, or every photo of a folder, several times as large."""
    held = load(run)
    photos = [Path(photo)]
    if photos[0].is_dir():
        photos = sorted(path for path in photos[0].iterdir() if path.suffix.lower() in PICTURES)
    if not photos:
        raise UsageError(f"{photo} holds no pictures.")
    if not out.suffix:
        out.mkdir(parents=True, exist_ok=True)
    elif len(photos) > 1:
        raise UsageError(f"--out {out}: {len(photos):,} photos go into a folder, --out large.")
    for path in photos:
        place = out if out.suffix else out / f"{path.stem}.png"
        with whole_file(place) as part, system_errors(place):
            part.write_bytes(png(image(held.enlarge(path).transpose(2, 0, 1))))
    print(f"{len(photos):,} {'photo' if len(photos) == 1 else 'photos'} in {out}", file=sys.stderr)


def make_to(run: str, count: int, asked: str | None, seed: int, between: tuple[int, int] | None,
            out: str | None) -> None:  # fmt: skip
    """The verb `predict` for a network that makes things: rows of a table, a sheet of pictures, or a file for each.

    Raises:
        UsageError: without a place for pictures, for a kind of file that is not written, or for classes of rows.
    """
    held = load(run)
    if held.task == "rows":
        if asked is not None or between is not None:
            raise UsageError("--class and --between ask for pictures; rows are made with --count and --seed.")
        if out is not None and Path(out).suffix not in _SUFFIXES:
            raise UsageError(f"--out {out}: rows are written as {', '.join(_SUFFIXES)}.")
        rows = held.make_rows(count, seed=seed)
        if out is None:
            _print(iter([rows]), as_json=False)
        else:
            print(f"{_write(iter([rows]), Path(out)):,} rows in {out}", file=sys.stderr)
        return
    if out is None or Path(out).suffix not in ("", ".png"):
        raise UsageError("Pictures are written into a sheet, --out made.png, or one by one into a folder, --out made.")
    pictures = held.generate(count, asked=asked, seed=seed, between=between).transpose(0, 3, 1, 2)
    if Path(out).suffix:
        with whole_file(Path(out)) as part, system_errors(Path(out)):
            part.write_bytes(png(sheet(pictures, _columns(held, asked, between, count))))
        print(f"{count:,} pictures in {out}", file=sys.stderr)
        return
    Path(out).mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        with whole_file(Path(out) / f"{number:05}.png") as part, system_errors(Path(out)):
            part.write_bytes(png(image(picture)))
    print(f"{count:,} pictures in {out}/", file=sys.stderr)


def _columns(held: Run, asked: str | None, between: tuple[int, int] | None, count: int) -> int:
    """A column for each class, where all of them are shown; one line for the way between two pictures."""
    if between is not None:
        return min(count, _MOST_COLUMNS)
    classes = 0 if asked is not None else len(held.classes)
    return classes if 1 < classes <= _MOST_COLUMNS else _COLUMNS


def write_to(run: str, prompt: str, length: int, next_words: int | None, temperature: float, top_p: float,
             repetition: float, seed: int, as_json: bool) -> None:  # fmt: skip
    """The verb `predict` with a prompt: what follows, shown as it is written, or the likely next words.

    Raises:
        DataError: if the run was not trained on running text.
        UsageError: for numbers that make no sense.
    """
    if length < 1 or (next_words is not None and next_words < 1):
        raise UsageError("--length and --next take a number above 0.")
    held = load(run)
    if unseen := held.writing.unseen(prompt):
        print(f"note: {unseen[:20]!r} stood in no training row and is read as unknown", file=sys.stderr)
    if next_words is not None:
        found = held.likely(prompt, next_words)
        if as_json:
            print(json.dumps([{"word": word, "probability": chance} for word, chance in found], ensure_ascii=False))
        else:
            sys.stdout.writelines(f"{chance:6.1%}  {word}\n" for word, chance in found)
        return
    pieces = held.write(prompt, length, temperature=temperature, top_p=top_p, repetition=repetition, seed=seed)
    if as_json:
        print(json.dumps({"prompt": prompt, "text": "".join(pieces)}, ensure_ascii=False))
        return
    sys.stdout.write(prompt)
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()
    sys.stdout.write("\n")


def chat_to(run: str) -> None:
    """The verb `predict --chat`: an answer to each line of standard input, until it ends.

    Raises:
        UsageError: if the run reads something else than one text, or answers several columns.
    """
    held = load(run)
    inputs = [column for part in held.plan.inputs.values() for column in part.columns]
    answers = [part.column for part in held.plan.outputs.values()]
    if [held.trained.columns[name].kind for name in inputs] != ["text"] or len(answers) != 1:
        raise UsageError(f"{run} cannot be talked to: it reads {listing(inputs)} and answers {listing(answers)}; "
                         "--chat needs one text and one answer. Use --row COLUMN=VALUE.")  # fmt: skip
    asks = sys.stdin.isatty()
    while True:
        if asks:
            print("> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            print(held.predict({inputs[0]: line.strip()})[answers[0]][0], flush=True)


def _one_row(cells: Sequence[str]) -> dict[str, Any]:
    row = {}
    for text in cells:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--row takes COLUMN=VALUE; found {text!r}.")
        row[name] = value
    return row


def _print(pieces: Iterator[pl.DataFrame], as_json: bool) -> None:
    first = True
    for piece in pieces:
        if as_json:
            for answer in piece.iter_rows(named=True):
                print(json.dumps(answer, ensure_ascii=False))
        else:
            sys.stdout.write(_flat(piece).write_csv(include_header=first))
        first = False


def _flat(piece: pl.DataFrame) -> pl.DataFrame:
    """Lists as text in JSON, as a cell of CSV can hold them, and as they are read again."""
    nested = [name for name, kind in piece.schema.items() if kind.is_nested()]
    texts = [
        pl.Series(name, [json.dumps(cell, ensure_ascii=False) for cell in piece[name].to_list()], dtype=pl.String)
        for name in nested
    ]
    return piece.with_columns(texts)


def _write(pieces: Iterator[pl.DataFrame], path: Path) -> int:
    """Write all pieces as one file, whole or not at all; the number of rows."""
    rows = 0
    with whole_file(path) as part, system_errors(path):
        if path.suffix == ".parquet":
            return _write_parquet(pieces, part)
        with part.open("wb") as file:
            for piece in pieces:
                if path.suffix == ".csv":
                    _flat(piece).write_csv(file, include_header=rows == 0)
                else:
                    piece.write_ndjson(file)
                rows += piece.height
    return rows


def _write_parquet(pieces: Iterator[pl.DataFrame], path: Path) -> int:
    """Pieces lie beside the file until all are there, and are then poured into one: memory holds one at a time."""
    rows, files = 0, list[Path]()
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        for piece in pieces:
            files.append(Path(folder) / f"{len(files):08}.parquet")
            piece.write_parquet(files[-1])
            rows += piece.height
        pl.scan_parquet(files).sink_parquet(path)
    return rows
