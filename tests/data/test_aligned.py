import gzip
from pathlib import Path

import pytest

from lamina.data import read
from lamina.ground import DataError

EN, DE = "a dog\ntwo cats\n", "ein Hund\nzwei Katzen\n"


def lay(folder: Path, files: dict[str, str | bytes]) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return [folder / name for name in files]


def test_files_of_lines_that_share_a_name_become_columns_called_by_their_suffix(tmp_path: Path) -> None:
    table = read(lay(tmp_path / "pairs", {"all.en": EN, "all.de.gz": DE.replace("\n", "\r\n")}))
    assert table.frame.rows() == [("a dog", "ein Hund"), ("two cats", "zwei Katzen")]
    assert table.where(1) == "all.en and all.de.gz, line 2"


def test_names_say_the_split_and_a_folder_of_nothing_else_is_read(tmp_path: Path) -> None:
    files = {"val.de": DE, "val.en": EN, "train.de": DE * 3, "train.en": EN * 3, "test2016.de": DE, "test2016.en": EN}
    paths = lay(tmp_path / "pairs", files)
    for table in (read(paths), read(tmp_path / "pairs")):
        assert table.parts is not None and table.columns == ["de", "en"]
        assert {part: int((table.parts == part).sum()) for part in ("train", "valid", "test")} == {
            "train": 6, "valid": 2, "test": 2,
        }  # fmt: skip


def test_the_last_line_may_lack_its_end_and_empty_lines_count(tmp_path: Path) -> None:
    table = read(lay(tmp_path / "pairs", {"all.en": "a\n\nc", "all.de": "x\ny\nz\n"}))
    assert table.frame.rows() == [("a", "x"), ("", "y"), ("c", "z")]


@pytest.mark.parametrize(
    "files, words",
    [
        ({"all.en": EN, "all.de": DE + "drei\n"}, ["all.en has 2 lines", "all.de has 3 lines", "same number"]),
        ({"all.en": EN, "all.de": ""}, ["all.de is empty"]),
        ({"all.en": EN, "all.de": "ein\0Hund\nx\n"}, ["all.de, line 1", "NUL byte"]),
        ({"all.en": EN}, ["all.en cannot be read", "this format is not known"]),
        ({"train.en": EN, "train.de": DE, "test.en": EN}, ["train.en cannot be read"]),
    ],
)
def test_what_does_not_go_together_is_named(tmp_path: Path, files: dict[str, str | bytes], words: list[str]) -> None:
    with pytest.raises(DataError) as error:
        read(lay(tmp_path / "pairs", files))
    assert all(word in str(error.value) for word in words), error.value
