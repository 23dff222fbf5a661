"""Rows drawn from a text that is too large, and the rest of it: together all rows, each at its place."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lamina.data import draw, read
from lamina.ground import DataError

ROWS = 3_000


@pytest.fixture(autouse=True)
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text counts as large, some three hundred rows of it are drawn, and it is read some sixty at a time."""
    monkeypatch.setattr("lamina.data.slicing.LARGE", 0)
    monkeypatch.setattr("lamina.data.delimited.STRETCH", 600)
    monkeypatch.setattr("lamina.data._records.PIECE", 200)
    monkeypatch.setattr("lamina.data.drawn.DRAWN_BYTES", 3_000)
    monkeypatch.setattr("lamina.data.drawn.FEWEST_ROWS", 100)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Rows with a line break inside quotation marks and an empty line behind some."""
    rows = [f'{row}.5,{"a" if row % 3 else "b"},{chr(34)}x{chr(10) * (row % 7 == 0)}{chr(34)}' + "\n" * (row % 11 == 0)
            for row in range(ROWS)]  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_text("size,word,note\n" + "\n".join(rows) + "\n")
    return path


def test_drawn_rows_and_the_rest_are_all_rows_each_once_at_its_place(path: Path) -> None:
    whole = read([path])
    found = draw([path])
    assert found is not None
    table, rest = found
    assert 200 < len(table) < 400 and len(table) + len(rest) == ROWS
    assert table.notes == whole.notes and table.name == whole.name
    places = {whole.where(row): whole.frame.row(row) for row in range(ROWS)}
    seen = [(some.where(row), some.frame.row(row)) for some in (table, *rest.tables()) for row in range(len(some))]
    assert len(seen) == ROWS and dict(seen) == places
    assert len(list(rest.tables())) > 5


def test_every_stretch_of_the_text_has_its_share(path: Path) -> None:
    found = draw([path])
    assert found is not None
    numbers = found[0].frame["size"].cast(float).to_numpy()
    assert (np.diff(numbers) > 0).all()
    shares = np.histogram(numbers, 6, (0, ROWS))[0] / len(numbers)
    assert shares.min() > 0.08 and shares.max() < 0.26


def test_the_same_text_is_drawn_from_alike_and_a_change_anywhere_shows(path: Path, tmp_path: Path) -> None:
    first, again = draw([path]), draw([path])
    assert first is not None and again is not None
    assert first[0].frame.equals(again[0].frame) and first[1].digest == again[1].digest
    undrawn = next(row for row in range(ROWS) if row not in first[1].drawn)
    other = tmp_path / "b.csv"
    other.write_text(path.read_text().replace(f"\n{undrawn}.5,", f"\n{undrawn}.6,"))
    changed = draw([other])
    assert changed is not None
    assert changed[0].frame.equals(first[0].frame) and changed[1].digest != first[1].digest


def test_rows_to_judge_on_are_read_whole_beside_them(path: Path, tmp_path: Path) -> None:
    judged = tmp_path / "judged.csv"
    shutil.copy(path, judged)
    found = draw([path], [judged])
    assert found is not None
    table, rest = found
    assert table.parts is not None
    assert (table.parts == "test").sum() == ROWS
    assert (table.parts == "train").sum() + len(rest) == ROWS


def test_what_is_small_or_no_delimited_text_or_names_pictures_is_not_drawn_from(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert draw([path, path]) is None
    assert draw([read([path]).frame]) is None
    assert draw([tmp_path]) is None
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a.png")
    photos = tmp_path / "photos.csv"
    photos.write_text("size,photo\n" + "1.5,a.png\n" * ROWS)
    assert draw([photos]) is None
    monkeypatch.setattr("lamina.data.drawn.FEWEST_ROWS", ROWS // 2 + 1)
    assert draw([path]) is None, "where most rows would be drawn, all can be held"
    monkeypatch.setattr("lamina.data.slicing.LARGE", 1 << 30)
    assert draw([path]) is None


def test_a_text_that_does_not_fit_is_refused(path: Path) -> None:
    with path.open("a") as file:
        file.write("1,2\n")
    with pytest.raises(DataError, match="2 cells found, 3 expected"):
        draw([path])
