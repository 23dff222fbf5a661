import errno
import json
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small import houses, write_houses

import lamina
from lamina.api import predict_to

ONE = ["rooms=1", "area=2", "zone=north"]


def write(run: Path, data: list[str] | None = None, row: list[str] | None = None, out: Path | None = None,
          confidence: bool = True, as_json: bool = False) -> None:  # fmt: skip
    predict_to(str(run), data or [], row or [], None if out is None else str(out), confidence, as_json)


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_houses(tmp_path_factory.mktemp("new") / "new.csv"))


@pytest.mark.parametrize(
    "suffix, read", [("csv", pl.read_csv), ("parquet", pl.read_parquet), ("jsonl", pl.read_ndjson)]
)
def test_a_file_holds_the_answers_that_python_gets(
    suffix: str, read: Any, trained: Path, new: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / f"answers.{suffix}"
    write(trained, [new], out=out)
    found, expected = read(out), lamina.load(trained).predict(new)
    assert found.columns == expected.columns
    assert found["level"].equals(expected["level"].cast(pl.String))
    assert (found["price"] - expected["price"]).abs().max() < 1e-4
    told = capsys.readouterr()
    assert told.out == "" and "120 answers in" in told.err


@pytest.mark.parametrize("out", ["answers.csv", "answers.parquet", "answers.jsonl", None])
def test_only_one_piece_of_the_answers_is_held_at_a_time(
    out: str | None, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held: weakref.WeakSet[Piece] = weakref.WeakSet()
    most = 0

    def many(run: lamina.Run, *data: object, confidence: bool) -> Iterator[pl.DataFrame]:
        nonlocal most
        for number in range(50):
            piece = Piece({"price": [float(number)] * 3})
            held.add(piece)
            most = max(most, len(held))
            yield piece
            del piece

    monkeypatch.setattr(lamina.Run, "predictions", many)
    write(trained, ["new.csv"], out=tmp_path / out if out else None)
    assert most <= 2  # the one being written, and the one being made
    read = {"csv": pl.read_csv, "parquet": pl.read_parquet, "jsonl": pl.read_ndjson}
    if out:
        found = read[out.partition(".")[2]](tmp_path / out)
        assert [path.name for path in tmp_path.iterdir()] == [out], "nothing is left beside it"
    else:
        found = pl.read_csv(capsys.readouterr().out.encode())
    assert found["price"].to_list() == [float(number) for number in range(50) for _ in range(3)]


class Piece(pl.DataFrame):
    """A frame that a set of weak references can hold: frames themselves have no hash."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def test_without_a_file_answers_go_to_standard_output(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(trained, row=ONE)
    head, answer = capsys.readouterr().out.splitlines()
    assert head == "price,price_low,price_high,level,level_confidence"
    assert answer.split(",")[3] in ("high", "low")
    write(trained, row=ONE, confidence=False, as_json=True)
    assert set(json.loads(capsys.readouterr().out)) == {"price", "level"}


@pytest.mark.parametrize(
    "given, problem",
    [
        ({}, "Give either DATA or one --row"),
        ({"data": ["new.csv"], "row": ONE}, "Give either DATA or one --row"),
        ({"row": ["rooms"]}, "--row takes COLUMN=VALUE; found 'rooms'"),
        ({"row": ONE, "out": Path("answers.xml")}, "--out answers.xml: answers are written as .csv, .parquet, .jsonl"),
        ({"row": ONE, "out": Path("answers")}, "--out answers: answers are written as"),
    ],
)
def test_a_command_that_was_put_together_wrongly_is_refused(given: dict[str, Any], problem: str, trained: Path) -> None:
    with pytest.raises(lamina.UsageError, match=problem):
        write(trained, **given)


def test_cells_that_could_not_be_read_are_named_beside_the_answers(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rooms = houses()["rooms"].cast(pl.String).to_list()
    rooms[3] = "many"
    data = write_houses(tmp_path / "new.csv", houses().with_columns(rooms=pl.Series(rooms)))
    write(trained, [str(data)])
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 121
    assert told.err == "warning: new.csv, line 5, column 'rooms': 'many' is not a number\n"


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_a_full_disk_leaves_what_was_there(suffix: str, trained: Path, new: str, tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    out = tmp_path / f"answers.{suffix}"
    out.write_text("earlier")

    def full(*arguments: object, **options: object) -> None:
        # What polars raises: the number stands in the text alone.
        raise pl.exceptions.ComputeError("underlying IO error: No space left on device (os error 28)")

    for name in ("write_csv", "write_parquet", "write_ndjson"):
        monkeypatch.setattr(pl.DataFrame, name, full)
    with pytest.raises(OSError) as stop:  # noqa: PT011: the number is looked at below
        write(trained, [new], out=out)
    assert stop.value.errno == errno.ENOSPC and stop.value.filename == str(out)
    assert [path.name for path in tmp_path.iterdir()] == [out.name] and out.read_text() == "earlier"
