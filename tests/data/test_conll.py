import gzip
import json
from pathlib import Path

import pytest

from lamina.data import Table, read
from lamina.ground import DataError

SENTENCES = "Anna\tB-person\nsleeps\tO\n\nIn\tO\nNew\tB-place\nYork\tI-place\n"


def cells(table: Table, column: str) -> list[list[str]]:
    return [json.loads(cell) for cell in table.frame[column]]


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    data = text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["a.conll", "a.iob", "a.bio", "a.tsv", "a.txt", "a.tab", "a.conll.gz", "a.tsv.gz"])
def test_a_sentence_is_a_row_of_words_and_tags(tmp_path: Path, name: str) -> None:
    table = read(write(tmp_path, name, SENTENCES))
    assert table.targets == ("tags",)
    assert cells(table, "tokens") == [["Anna", "sleeps"], ["In", "New", "York"]]
    assert cells(table, "tags") == [["B-person", "O"], ["O", "B-place", "I-place"]]
    assert table.where(1) == f"{name}, line 4"


@pytest.mark.parametrize(
    "text, words, tags",
    [
        ("a O\nb O\n\n\n\nc O\n", [["a", "b"], ["c"]], [["O", "O"], ["O"]]),
        ("a\tO\r\n\t\r\nb\tO\r\n", [["a"], ["b"]], [["O"], ["O"]]),  # a blank line with a tab in it
        ("-DOCSTART- -X- O\n\na X O\n-DOCSTART- -X- O\nb X O\n", [["a"], ["b"]], [["O"], ["O"]]),
        ("# id = 3 x\na\tO\n# \tO\n\n# id\nb\tO\n", [["a", "#"], ["b"]], [["O", "O"], ["O"]]),
        ("#\tO\nb\tO\n", [["#", "b"]], [["O", "O"]]),
        ('"\tO\na b\tO\n', [['"', "a b"]], [["O", "O"]]),
        ("a\u2028\tO\nb\tO\n", [["a", "b"]], [["O", "O"]]),
    ],
)
def test_ways_of_writing_sentences(tmp_path: Path, text: str, words: list[list[str]], tags: list[list[str]]) -> None:
    table = read(write(tmp_path, "a.conll", text))
    assert cells(table, "tokens") == words
    assert cells(table, "tags") == tags


def test_the_last_column_is_the_answer_and_those_between_keep_a_number(tmp_path: Path) -> None:
    table = read(write(tmp_path, "a.conll", "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n"))
    assert table.columns == ["tokens", "column_2", "column_3", "tags"]
    assert cells(table, "column_2") == [["NNP", "VBZ"]]
    assert table.targets == ("tags",)


def test_universal_dependencies_name_their_columns(tmp_path: Path) -> None:
    lines = ["# text = Du pain", "1-2\tDu" + "\t_" * 8, "1\tDe\tde\tADP" + "\t_" * 6, "2\tle\tle\tDET" + "\t_" * 6,
             "2.1\tx" + "\t_" * 8, "3\tpain\tpain\tNOUN" + "\t_" * 6]  # fmt: skip
    table = read(write(tmp_path, "a.conllu", "\n".join(lines)))
    assert table.targets == ("upos",)
    assert cells(table, "tokens") == [["De", "le", "pain"]]
    assert cells(table, "upos") == [["ADP", "DET", "NOUN"]]


def test_a_line_without_its_tag_shows_in_the_row(tmp_path: Path) -> None:
    table = read(write(tmp_path, "a.conll", "a\tO\nb\n\nc\tO\nd\tO\n"))
    assert cells(table, "tokens") == [["a", "b"], ["c", "d"]]
    assert cells(table, "tags") == [["O"], ["O", "O"]]


def test_words_alone_can_be_predicted(tmp_path: Path) -> None:
    table = read(write(tmp_path, "a.conll", "Anna\nsleeps\n\nBen\n"))
    assert (table.columns, table.targets) == (["tokens"], ())


def test_a_file_without_a_sentence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.conll holds no sentence"):
        read(write(tmp_path, "a.conll", "\n\n"))


def test_a_line_of_too_many_cells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="101 columns; of sentences at most 100"):
        read(write(tmp_path, "a.conll", "\t".join(["a"] * 101)))


def test_other_encodings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_bytes("Zürich\tB-place\n".encode("cp1252"))
    table = read(path)
    assert cells(table, "tokens") == [["Zürich"]]
    assert "Windows-1252" in table.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "name\tage\nanna\t3\n\nben\t4\n",  # a table with an empty line
        "city\tkind\nRome\told\nOslo\tnew\n",
        "a\tO\nb\tO\n",  # no empty line: two columns of anything
        "1\t2\n3\t4\n\n5\t6\n",
    ],
)
def test_tables_stay_tables(tmp_path: Path, text: str) -> None:
    assert "tokens" not in read(write(tmp_path, "a.tsv", text)).columns


def test_kinds_of_words_are_recognised_too(tmp_path: Path) -> None:
    line = "\n\n".join("\n".join(f"word{number}{at}\t{['DET', 'NOUN', 'VERB'][at]}" for at in range(3))
                       for number in range(20))  # fmt: skip
    assert read(write(tmp_path, "a.tsv", line)).targets == ("tags",)


def test_files_called_train_dev_and_test_are_the_split(tmp_path: Path) -> None:
    paths = [write(tmp_path, f"{part}.conll", SENTENCES) for part in ("train", "dev", "test")]
    table = read(list(paths))
    assert table.parts is not None
    assert table.parts.tolist() == ["train", "train", "valid", "valid", "test", "test"]
    assert table.where(3) == "dev.conll, line 4"
