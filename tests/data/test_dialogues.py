from pathlib import Path

import pytest

from lamina.data import read
from lamina.ground import DataError

CHAT = """categories:
- small talk
conversations:
- - Hello
  - Hi there!
  - How are you?
- - Do you like 42?
  - Yes
"""


def test_each_turn_and_the_next_are_a_pair_and_words_stay_words(tmp_path: Path) -> None:
    (tmp_path / "talk.yml").write_text(CHAT)
    table = read(tmp_path / "talk.yml")
    assert table.frame.rows() == [
        ("Hello", "Hi there!"), ("Hi there!", "How are you?"), ("Do you like 42?", "Yes"),
    ]  # fmt: skip
    assert table.columns == ["question", "answer"] and table.targets == ("answer",)
    assert table.where(2) == "talk.yml, line 7"


def test_a_folder_of_conversations_is_one_table_and_other_folders_keep_their_settings(tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    for name in ("a.yml", "b.yaml"):
        (tmp_path / "talks" / name).write_text(CHAT)
    (tmp_path / "talks" / "README.md").write_text("about")
    assert len(read(tmp_path / "talks")) == 6
    (tmp_path / "talks" / "b.yaml").unlink()
    (tmp_path / "talks" / "more.csv").write_text("question,answer\na,b\nc,d\n")
    assert len(read(tmp_path / "talks")) == 2, "beside a table, YAML is a setting"


def test_a_conversation_that_is_no_list_of_texts_is_left_out_and_named(tmp_path: Path) -> None:
    many = CHAT + "- - a\n  - b\n" * 40 + "- just one line\n- - said: this\n  - that\n"
    (tmp_path / "talk.yml").write_text(many)
    table = read(tmp_path / "talk.yml")
    assert len(table) == 43
    assert "2 of 44 conversations are no lists of two texts or more" in table.notes[0] and "line 89" in table.notes[0]


@pytest.mark.parametrize(
    "text, problem",
    [
        ("", "expected a list `conversations:`.*found no keys"),
        ("epochs: 3\nnames: [a, b]\n", "found the keys epochs, names"),
        ("conversations: nothing\n", "expected a list"),
        ("conversations:\n- - a\n  - 'b\n", "line 3|line 4"),
        ("conversations:\n- - a\n  b\n- c: d: e\n", "this is not YAML"),
        ("conversations:\n- - only one\n", "1 of 1 conversations.*first in line 2"),
        ("conversations:\n- &x\n  - a\n  - b\n" + "- *x\n" * 3, "by reference"),
        ("[" * 5_000, "not YAML"),
        ("conversations: []\n", "0 of 0"),
    ],
)
def test_files_that_hold_no_conversations_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "talk.yml").write_text(text)
    with pytest.raises(DataError, match=problem):
        read(tmp_path / "talk.yml")
