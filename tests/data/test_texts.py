from pathlib import Path

import pytest

from lamina.data import read
from lamina.data.texts import LONGEST
from lamina.ground import DataError


def lay(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_texts_in_class_folders_are_rows_and_the_folders_that_say_a_split_are_it(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"{part}/{kind}/{number}.txt": f"{kind} {number},\nsecond line"
        for part in ("train", "test") for kind in ("sea", "sky") for number in range(2)
    }  # fmt: skip
    table = read(lay(tmp_path / "posts", {**files, "README.md": "what it is"}))
    assert (table.columns, table.targets) == (["text", "class"], ("class",))
    assert table.frame.row(0) == ("sea 0,\nsecond line", "sea")
    assert table.parts is not None and table.parts.tolist() == ["train"] * 4 + ["test"] * 4
    assert table.where(5) == "posts, text 2"


def test_texts_without_folders_are_without_classes(tmp_path: Path) -> None:
    table = read(lay(tmp_path / "new", {"1.txt": "one", "2.txt": "two"}))
    assert table.frame.to_dict(as_series=False) == {"text": ["one", "two"]}
    assert table.targets == ()


def test_other_encodings_are_read_and_said(tmp_path: Path) -> None:
    table = read(lay(tmp_path / "new", {"1.txt": "\ufeffone", "2.txt": "Käse".encode("cp1252"), "3.txt": ""}))
    assert table.frame["text"].to_list() == ["one", "Käse", ""]
    assert any("1 texts are not UTF-8" in note and "2.txt" in note for note in table.notes)


def test_beside_data_a_text_is_a_description(tmp_path: Path) -> None:
    table = read(lay(tmp_path / "sales", {"a.csv": "x,y\n1,2\n", "b.csv": "x,y\n3,4\n", "about.txt": "words"}))
    assert table.columns == ["x", "y"]
    assert "about.txt" in " ".join(table.notes)


@pytest.mark.parametrize(
    "files, words",
    [
        ({"a/1.txt": "x", "b/2.txt": "y", "3.txt": "z"}, ["3.txt lies in no class folder", "texts without a class"]),
        ({"a/1.txt": "x", "b/2.txt": b"\x00\x01"}, ["b/2.txt is no text", "zero bytes", "UTF-8"]),
        ({"a/1.txt": "x", "b/2.txt": b"x" * (LONGEST + 1)}, ["b/2.txt holds 16 MiB", "16 at most", "cut it"]),
    ],
)
def test_what_cannot_be_a_row_is_refused_by_name(
    tmp_path: Path, files: dict[str, str | bytes], words: list[str]
) -> None:
    with pytest.raises(DataError) as error:
        read(lay(tmp_path / "posts", files))
    assert all(word in str(error.value) for word in words)
