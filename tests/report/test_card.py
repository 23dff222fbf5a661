"""The card: a page of Markdown that whoever finds the folder can read and trust."""

import re
from pathlib import Path

import pytest
from report.made_runs import column, houses, least, measured, pictures, state, write_run

from lamina.report import write_card

HOSTILE = "a | b\n# `c` <script>alert(1)</script> [x](http://evil.example) ![y](http://evil.example/z.png) *d* &lt;"


def test_the_card_says_how_good_it_is_and_what_to_beware_of(tmp_path: Path) -> None:
    path = write_card(houses(tmp_path / "houses"))
    text = path.read_text("utf-8")
    assert path.name == "README.md"
    assert text.startswith("# Predicting median\\_house\\_value\n\nThe network is better than the trees by 1,210")
    assert "| network | 45,870 | 44,270 to 47,470 |\n| boosted trees | 47,080 | 45,380 to 48,780 |" in text
    assert "The network's other figures: mean absolute error 30,120; R² 0.8412; RMSLE 0.2204." in text
    assert "20,640 rows of housing.csv." in text
    assert "Leaves out id (number)." in text
    assert "train 16,512; valid 2,064; test 2,062 rows (random: rows have no order that matters)" in text
    assert "- 965 cells of median\\_house\\_value are exactly 500,001: they look capped. Leave those rows out" in text
    assert "207 gaps" not in text  # a note, not a warning
    assert "445,201 weights" in text
    assert "`report.html` beside this card" in text


def test_its_commands_name_the_run(tmp_path: Path) -> None:
    run = pictures(tmp_path / "my photos")
    text = write_card(run).read_text("utf-8")
    assert f"lamina predict '{run}' new/ --out answers.csv" in text
    assert f"lamina.load({str(run)!r}).predict('new/')" in text


def test_the_least_run_has_a_card_without_empty_sections(tmp_path: Path) -> None:
    text = write_card(least(tmp_path)).read_text("utf-8")
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Predicting price", "## Use it", "# Answers for new rows", "# Judge it on other rows whose truth is known",
    ]  # fmt: skip
    assert "None" not in text


@pytest.mark.parametrize("wild", [HOSTILE, "x" * 5000, "\N{SNOWMAN} \u202e"])
def test_what_data_holds_stays_text(tmp_path: Path, wild: str) -> None:
    run = write_run(
        tmp_path, "predict: [x]\n",
        state=state([(wild, wild, wild, 1)], {}, ended=wild),
        data={"sources": [wild], "rows": 1, "columns": [column(wild, "number", wild)], "targets": [wild],
              "findings": [{"level": "warning", "column": wild, "text": wild, "remedy": wild}]},
        evaluation={"verdict": wild, "decides": f"{wild}.rmse", "metrics": {wild: {"rmse": measured(1.5)}},
                    "baselines": {wild: {wild: {"rmse": measured(2.5)}}}},
    )  # fmt: skip
    text = write_card(run).read_text("utf-8")
    assert "<script" not in text
    assert "http://" not in text
    assert not re.search(r"(?<!\\)\]\(", text)  # no link, no picture
    assert max(map(len, text.splitlines())) < 6_000
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 4
    assert all(line.replace("\\|", "").count("|") == 4 for line in table)
