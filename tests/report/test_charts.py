"""Charts are drawings to stand in a page: they scale, carry no ids or scripts, and say in words what they show."""

import re
from collections.abc import Callable

import pytest

from lamina.report.charts import (
    Measured,
    comparison_chart,
    confusion_chart,
    curve_chart,
    reliability_chart,
    scatter_chart,
    sparkline,
)

HOSTILE = '</text><script>alert("1")</script>\'" onload="x' + "\N{RIGHT-TO-LEFT OVERRIDE}\N{SNOWMAN}" + "long " * 300
ROWS = [Measured("network", 45_870.0, 44_300.0, 47_500.0, ours=True), Measured("boosted trees", 47_080.0)]

CHARTS: dict[str, Callable[[str], str]] = {
    "comparison": lambda name: comparison_chart([*ROWS, Measured(name, 50_000.0)], name),
    "curve": lambda name: curve_chart([(1, 0.9), (2, 0.5), (3, 0.4)], "epoch", name, best=(3, 0.4)),
    "confusion": lambda name: confusion_chart(["cat", name], [[8, 2], [0, 5]]),
    "reliability": lambda name: reliability_chart([(0.5, 0.4, 10), (0.95, 0.9, 400)]),
    "scatter": lambda name: scatter_chart([(1.0, 1.1), (2.0, 1.7)], name),
    "sparkline": lambda name: sparkline([1, 5, 0, 2], name),
}


@pytest.mark.parametrize("kind", CHARTS)
def test_a_chart_scales_and_says_what_it_shows(kind: str) -> None:
    drawn = CHARTS[kind]("dog")
    opening = drawn[: drawn.index(">") + 1]
    assert re.search(r'viewBox="0 0 [\d.]+ [\d.]+"', opening)
    assert " width=" not in opening
    assert 'role="img"' in opening
    assert re.search(r'aria-label="[^"]+"', opening)


@pytest.mark.parametrize("kind", CHARTS)
def test_a_chart_can_stand_beside_others_and_needs_nothing(kind: str) -> None:
    drawn = CHARTS[kind]("dog")
    assert " id=" not in drawn  # two drawings in one page must not name the same thing
    for word in ("http", "<script", "url(", "href", "<image", "NaN"):
        assert word not in drawn


@pytest.mark.parametrize("kind", CHARTS)
def test_hostile_names_stay_text(kind: str) -> None:
    drawn = CHARTS[kind](HOSTILE)
    assert "<script" not in drawn
    assert not re.search(r'<[^>"]*("[^"]*"[^>"]*)* onload=', drawn)


def test_the_comparison_keeps_its_order_and_marks_the_network() -> None:
    drawn = comparison_chart(ROWS, "RMSE")
    assert 'aria-label="RMSE: network 45,870 (44,300 to 47,500) and boosted trees 47,080."' in drawn
    assert drawn.index(">45,870<") < drawn.index(">47,080<")
    assert "var(--accent)" in drawn
    assert "var(--other)" in drawn


def test_a_curve_marks_its_best_moment() -> None:
    points = [(step, 1 / step) for step in range(1, 50)]
    assert ">best 0.0204<" in curve_chart(points, "step", "loss", best=(49, 1 / 49))
    assert ">best" not in curve_chart(points, "step", "loss")


def test_a_steep_curve_is_drawn_on_a_logarithmic_scale_and_says_so() -> None:
    assert "loss (logarithmic)" in curve_chart([(1, 100.0), (2, 1.0), (3, 0.1)], "step", "loss")
    assert "logarithmic" not in curve_chart([(1, 100.0), (2, 1.0), (3, -0.1)], "step", "R²")


def test_a_long_curve_is_thinned_but_keeps_its_end() -> None:
    drawn = curve_chart([(step, step % 7) for step in range(20_001)], "step", "loss")
    assert len(drawn) < 40_000
    assert "from 0 to 1." in drawn  # 20,000 % 7 is 1


def test_the_confusion_matrix_counts_where_there_is_room() -> None:
    few = confusion_chart(["cat", "dog"], [[81, 2], [0, 5]])
    assert ">81<" in few
    assert "86 of 88 rows are on the diagonal" in few
    many = confusion_chart([f"class {number}" for number in range(50)], [[71] * 50] * 50)
    assert ">71<" not in many
    assert ">class 49<" in many


def test_a_class_without_rows_is_an_empty_line() -> None:
    assert "5 of 5 rows" in confusion_chart(["cat", "dog"], [[0, 0], [0, 5]])


def test_a_sparkline_shows_rare_bins() -> None:
    drawn = sparkline([1_000_000, 1, 0], "from 1 to 3")
    assert drawn.count("M") == 2  # an empty bin has no bar, a rare one a low one
    assert "v-1.2" in drawn
