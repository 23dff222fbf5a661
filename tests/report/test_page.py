"""The report: one page that holds what the run's files say, needs nothing else, and lets nothing in a file run."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report.made_runs import column, history, houses, least, measured, picture, pictures, state, write_run

from lamina.ground import RunError
from lamina.report import write_report

HOSTILE = (
    "\"><img src=http://evil.example/x onerror=alert(1)></style></pre><script>alert(2)</script>' onload='{{ 7*7 }}"
)
SECTIONS = ("result", "answers", "training", "data", "network", "choices", "time", "use")


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and the text."""

    def __init__(self, path: Path):
        super().__init__()
        self.source = path.read_text("utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(self.source)
        self.text = " ".join(" ".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def ids(self) -> list[str | None]:
        """Names of places in the page."""
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


def check_offline(page: Page) -> None:
    """Nothing loads, nothing runs."""
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form", "video", "audio", "image"}
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "href", "xlink:href", "action", "poster", "background", "srcset"}:
                assert re.match(r"#|data:image/(png|jpeg|gif|webp);base64,", value or ""), (tag, name, value)
            if name == "style":
                assert "url" not in (value or "")
    styles = "".join(re.findall(r"<style>(.*?)</style>", page.source, re.DOTALL))
    assert styles
    assert "url(" not in styles
    assert "@import" not in styles
    (policy,) = [meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@pytest.fixture(scope="module")
def of_houses(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(write_report(houses(tmp_path_factory.mktemp("runs") / "houses")))


@pytest.fixture(scope="module")
def of_pictures(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(write_report(pictures(tmp_path_factory.mktemp("runs") / "photos")))


def test_every_section_is_there_and_reached(of_houses: Page, of_pictures: Page) -> None:
    for page in (of_houses, of_pictures):
        assert page.ids() == list(SECTIONS)
        assert [link["href"] for link in page.all("a")] == [f"#{name}" for name in SECTIONS]
        assert len(page.all("h1")) == 1
        assert len(page.all("h2")) == len(SECTIONS)


def test_nothing_is_fetched_and_nothing_runs(of_houses: Page, of_pictures: Page) -> None:
    for page in (of_houses, of_pictures):
        check_offline(page)
        assert "http:" not in page.source
        assert "https:" not in page.source


def test_everything_drawn_or_shown_is_described(of_houses: Page, of_pictures: Page) -> None:
    for page in (of_houses, of_pictures):
        assert all(picture["alt"] for picture in page.all("img"))
        assert all(drawing["aria-label"] for drawing in page.all("svg"))
        assert len(page.all("caption")) == len(page.all("table"))


def test_the_verdict_comes_first(of_houses: Page) -> None:
    words = of_houses.text
    assert "Predicting median_house_value" in words
    verdict = words.index("The network is better than the trees by 1,210 (100 to 2,300)")
    assert verdict < words.index("16,512 rows") < words.index("boosted trees")


@pytest.mark.parametrize(
    "text",
    [
        "45,870 44,270 to 47,470",  # a figure with its interval
        "lower is better decides",
        "4,120 steps, 31.2 epochs in 41 s. Training ended because the time was up. The weights of step 3,640 were kept",
        "Intervals said to hold 90 % of truths held 91 %.",
        "housing.csv, line 18",
        "965 cells of median_house_value are exactly 500,001: they look capped. Leave those rows out",
        "1 row was left out because it could not be used.",
        "1 cell does not hold what the column holds. Among the inputs such a cell counts as a gap and its row is kept",
        "housing.csv, line 9021, rooms : 12 <b> is not a number",
        "housing.csv, line 318 : 9 cells instead of 10",
        "<1H OCEAN 44 %",
        "2022-01-01 to 2024-03-22",
        "14.83 words on average, at most 77",
        "5 parts with 445,201 weights in all",
        "1.62 times as fast as float32 contiguous. Measured: float32 contiguous 6.8 ms a step",
        "found by trying 1e-05 to 1",
        "at step 900 changed to 4,120",
        "hidden.width 256 by the number of rows and columns",
        "hidden: {name: residual, width: 256, depth: 3}",
        "Answers 212,400 rows a second in batches, and a single row in 0.41 ms.",
        "AMD EPYC 9R14",
        "houses new.csv --out answers.csv",
    ],
)
def test_a_table_run_is_told(of_houses: Page, text: str) -> None:
    assert text in of_houses.text


@pytest.mark.parametrize(
    "text",
    ["Most frequent mix-ups", "Figures of each class (10)", "Is it as often right as it says?", "over 99 % sure",
     "photos/top/4000.png", "photos new/ --out", "4 more"],
)  # fmt: skip
def test_a_run_on_pictures_is_told(of_pictures: Page, text: str) -> None:
    assert text in of_pictures.text


def test_mistakes_come_with_their_pictures(of_pictures: Page) -> None:
    shown = of_pictures.all("img")
    assert len(shown) == 16
    assert shown[0] == {"src": picture(0), "alt": "photos/top/4000.png: truth top, answer pullover"}


def test_a_run_with_nothing_but_a_plan_and_a_state(tmp_path: Path) -> None:
    page = Page(write_report(least(tmp_path)))
    check_offline(page)
    assert page.ids() == ["choices", "use"]
    assert "This training has not come to its end" in page.text
    assert "None" not in page.text


@pytest.mark.parametrize(
    "part, section",
    [("scatter", "Truth and answer of"), ("coverage", "Intervals said to hold"), ("worst", "Worst mistakes"),
     ("machine", "The machine that was measured on"), ("baselines", "boosted trees")],
)  # fmt: skip
def test_a_missing_part_leaves_its_place_out(tmp_path: Path, part: str, section: str) -> None:
    run = houses(tmp_path)
    evaluation = json.loads((run / "evaluation.json").read_text())
    del evaluation[part]
    # The remaining optional sections are of no interest here, and what is not drawn costs no time.
    (run / "evaluation.json").write_text(json.dumps(evaluation))
    (run / "history.jsonl").unlink()
    (run / "data.json").unlink()
    page = Page(write_report(run))
    assert section not in page.text
    assert "training" not in page.ids()
    assert "data" not in page.ids()


def hostile_run(path: Path) -> Path:
    """Every place that a stranger's data can reach holds something that wants to run or to fetch."""
    bad = HOSTILE
    figures: dict[str, Any] = {bad: {bad: measured(0.5, 0.1)}}
    no_pictures = ["http://evil.example/x.png", "data:image/svg+xml;base64,PHN2Zz4=", f"data:image/png;base64,{bad}"]
    mistake = {"where": bad, "truth": bad * 20, "answer": bad, "confidence": 0.7,
               "cells": {bad: bad * 40, "gap": None}, "pictures": no_pictures}  # fmt: skip
    return write_run(
        path, f"predict: [{json.dumps(bad)}]\nhidden: {{name: {json.dumps(bad)}}}\n",
        state=state([(bad, bad, bad, 3)], {bad: bad, "hidden": bad}, ended=bad, lamina=bad, started=bad,
                    request={bad: bad}),
        history=history(f"{bad}.{bad}", 1.0, 0.5, judged=3, best_at=2),
        data={
            "sources": [bad], "rows": 3, "notes": [bad], "targets": [bad],
            "columns": [column(bad, "category", bad, "target", confidence=0.1), column(bad * 99, "text", bad)],
            "split": {"how": bad, "reason": bad, "train": 2, "valid": 1, "test": 0},
            "findings": [{"level": bad, "column": bad, "text": bad, "remedy": bad}],
            "problems": {"rows": 0, "cells": 1, "first": [{"where": bad, "column": bad, "cell": bad, "reason": bad}]},
            "profile": {bad: {"rows": 3, "gaps": 0, "distinct": 2, "top": [[bad, 2], ["\N{SNOWMAN} \u202e", 1]]}},
        },
        evaluation={
            "rows": 3, "on": bad, "decides": f"{bad}.{bad}", "verdict": bad,
            "metrics": figures, "baselines": {bad: figures},
            "confusion": {bad: {"classes": [bad, "\N{SNOWMAN}"], "counts": [[1, 2], [0, 0]]}},
            "per_class": {bad: [{"class": bad, "rows": 3, "precision": 0.3, "recall": 1.0, "f1": None}]},
            "calibration": {bad: [{"confidence": 0.5, "accuracy": 0.3, "rows": 3}]},
            "scatter": {bad: [[1.0, 2.0], [None, 1.0]]}, "worst": {bad: [mistake]},
            "timing": {"rows_per_second": 1.0, "one_row_ms": 2.0}, "machine": {bad: bad},
        },
    )  # fmt: skip


def test_what_data_holds_is_shown_and_never_run(tmp_path: Path) -> None:
    page = Page(write_report(hostile_run(tmp_path / HOSTILE.replace("/", "|"))))
    check_offline(page)
    assert page.ids() == list(SECTIONS)
    assert page.all("img") == []  # the mistake's pictures were not pictures, and the names made none
    assert page.text.count(" ".join(HOSTILE.split())) > 20
    assert "49" not in page.text.split(HOSTILE)[1]  # names are no templates either
    assert "\N{SNOWMAN}" in page.text


def test_very_long_cells_are_cut(tmp_path: Path) -> None:
    page = Page(write_report(hostile_run(tmp_path)))
    assert HOSTILE * 3 in page.text
    assert HOSTILE * 10 not in page.text
    assert "…" in page.text


def test_several_columns_are_told_apart(tmp_path: Path) -> None:
    run = write_run(
        tmp_path, "predict: [a.b, c]\n", state=state([], {}),
        history=[{"step": step, "loss": 1 / step, "rate": 1, "a.b.rmse": 2, "c.auc": 0.5, "skill": step / 9}
                 for step in (1, 2, 3)],
        evaluation={"decides": "skill", "deciding": {"a.b": "rmse", "c": "auc"}, "on": "9 rows never seen",
                    "notes": ["Trees saw a sample of `3` rows."],
                    "metrics": {"a.b": {"mae": measured(1), "rmse": measured(2)}, "c": {"auc": measured(0.75, 0.1)}},
                    "scatter": {"a.b": [[1, 2]]}, "worst": {"c": [{"where": "line 3", "truth": "x", "answer": "y"}]}},
    )  # fmt: skip
    words = Page(write_report(run)).text
    assert "Predicting a.b and c" in words
    assert "RMSE of a.b 2 area under the ROC curve of c 0.7500 0.6500 to 0.8500" in words
    assert "Measured on 9 rows never seen." in words
    assert "Trees saw a sample of 3 rows." in words
    assert words.count("better decides") == 2
    assert "skill on validation rows" in words
    assert words.index("area under the ROC curve") < words.index("Truth and answer of 1 rows")


@pytest.mark.parametrize(
    "name, text, problem",
    [
        ("plan.yaml", None, "has no plan.yaml. A report needs the folder"),
        ("state.json", None, "has no state.json"),
        ("evaluation.json", "{", "evaluation.json is damaged"),
        ("data.json", "[]", "holds list instead of names and values"),
    ],
)
def test_a_folder_that_is_no_run_or_is_damaged_is_named(
    tmp_path: Path, name: str, text: str | None, problem: str
) -> None:
    run = least(tmp_path)
    if text is None:
        (run / name).unlink()
    else:
        (run / name).write_text(text)
    with pytest.raises(RunError, match=re.escape(problem)):
        write_report(run)
    assert not (run / "report.html").exists()
