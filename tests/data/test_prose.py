import gzip
from pathlib import Path

import polars as pl
import pytest

from lamina.data import make_split, read, understand
from lamina.data.prose import STRETCH
from lamina.ground import DataError

BOOK = "".join(
    f"It was{', as Ann said,' * (number % 3)} the {number}th of May.{chr(10) * (number % 5)}" for number in range(900)
)


def written(folder: Path, content: str | bytes, name: str = "book.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def text_of(path: Path) -> str:
    return "".join(read(path).frame["text"])


@pytest.mark.parametrize(
    "content, kept",
    [
        (BOOK.encode(), BOOK),
        (b"\xef\xbb\xbf" + BOOK.encode(), BOOK),
        (BOOK.replace("\n", "\r\n").encode(), BOOK),
        (BOOK.replace("Ann", "Käthe").encode("utf-16"), BOOK.replace("Ann", "Käthe")),
        (BOOK.replace("Ann", "Käthe").encode("cp1252"), BOOK.replace("Ann", "Käthe")),
        (b"word " * 2000, "word " * 2000),
        (("   \n" * 900).encode(), "   \n" * 900),
    ],
)
def test_every_character_of_a_text_stands_in_one_stretch(tmp_path: Path, content: bytes, kept: str) -> None:
    table = read(written(tmp_path, content))
    assert table.flows and table.targets == ("text",)
    assert "".join(table.frame["text"]) == kept
    assert set(table.frame["text"].str.len_chars()[:-1]) == {STRETCH}


def test_a_text_is_cut_alike_however_it_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, BOOK.replace("Ann", "Zoë ✓").replace("\n", "\r\n"))
    whole = read(path).frame
    monkeypatch.setattr("lamina.data.prose._PIECE", 101)
    assert read(path).frame.equals(whole)


def test_packed_texts_are_read_and_what_has_columns_stays_a_table(tmp_path: Path) -> None:
    assert text_of(written(tmp_path, gzip.compress(BOOK.encode()), "book.txt.gz")) == BOOK
    table = read(written(tmp_path, "x,y\n" + "1,2\n" * 30, "table.txt"))
    assert not table.flows and table.columns == ["x", "y"]
    with pytest.raises(DataError, match="line 8: 1 cell found"):  # a table with a mistake is no prose
        read(written(tmp_path, "x,y\n" + "1,2\n" * 6 + "3\n" + "1,2\n" * 9, "table.txt"))


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", ["book.txt is empty"]),
        (b"\xef\xbb\xbf", ["book.txt is empty"]),
        (b"one\ntwo\0\n", ["book.txt, line 2", "NUL byte", "UTF-8"]),
    ],
)
def test_what_is_no_text_is_refused_in_words(tmp_path: Path, content: bytes, words: list[str]) -> None:
    with pytest.raises(DataError) as error:
        read(written(tmp_path, content))
    assert all(word in str(error.value) for word in words)


def test_the_last_part_of_a_text_is_held_out_and_what_comes_before_it_chosen_by(tmp_path: Path) -> None:
    table = read(written(tmp_path, BOOK))
    split = make_split(table, understand(table, ("text",)), ("text",))
    assert split.how == "order" and "last part" in split.reason
    assert split.train.max() < split.valid.min() <= split.valid.max() < split.test.min()
    assert len(split.test) == round(0.1 * len(table)) and len(split.train) + len(split.valid) + len(split.test) == len(
        table
    )


def test_files_that_name_their_part_are_the_split(tmp_path: Path) -> None:
    paths = [written(tmp_path, BOOK[: 9000 * part], f"w.{name}.txt") for part, name in enumerate(("test", "train"), 1)]
    table = read(paths)
    assert table.flows and table.parts is not None
    split = make_split(table, understand(table, ("text",)), ("text",))
    assert "".join(table.frame["text"][split.test]) == BOOK[:9000]
    assert split.train.max() < split.valid.min()


def test_a_text_too_short_to_learn_from_is_refused_with_its_length(tmp_path: Path) -> None:
    table = read(written(tmp_path, BOOK[:1000]))
    with pytest.raises(DataError, match=r"book.txt has 1,000 characters; at least 2,560 are needed"):
        make_split(table, understand(table, ("text",)), ("text",))


def test_stretches_of_digits_and_words_for_gaps_stay_text(tmp_path: Path) -> None:
    table = read(written(tmp_path, ("NA" * 128 + "7" * 256) * 9))
    column = understand(table, ("text",))["text"]
    assert (column.kind, column.role, column.missing) == ("text", "target", ())
    assert isinstance(table.frame["text"].dtype, pl.String)
