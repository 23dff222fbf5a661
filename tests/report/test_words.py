"""Figures, shares and times as people write them."""

import pytest

from lamina.report._words import best_first, duration, figure, joined, share, short


@pytest.mark.parametrize(
    "value, text",
    [
        (45_870.2, "45,870"), (1_234_567.8, "1,235,000"), (445_201, "445,201"), (0.92314, "0.9231"), (0.0181, "0.0181"),
        (-0.0003, "-0.0003"), (2e-05, "2e-05"), (14.826, "14.83"), (52.0, "52"), (0, "0"), (1e300, "1e+300"),
        (None, "–"), (float("nan"), "–"), ("as it is", "as it is"), (True, "True"),  # noqa: RUF001
    ],
)  # fmt: skip
def test_figure(value: object, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    "value, text",
    [(0.913, "91 %"), (1.0, "100 %"), (0.9991, "over 99 %"), (0.0, "0 %"), (0.001, "under 1 %"), (None, "–")],  # noqa: RUF001
)
def test_share_never_rounds_to_all_or_nothing(value: object, text: str) -> None:
    assert share(value) == text


@pytest.mark.parametrize(
    "seconds, text",
    [(0.0042, "4.2 ms"), (0.21, "0.2 s"), (0, "0.0 s"), (48.1, "48 s"), (59.9, "1 min 0 s"), (723, "12 min 3 s"),
     (3725, "1 h 2 min"), (None, "–")],  # noqa: RUF001
)  # fmt: skip
def test_duration(seconds: object, text: str) -> None:
    assert duration(seconds) == text


def test_the_best_stands_first_whichever_way_is_better() -> None:
    values = {"mean": 3.0, "none": None, "network": 1.0}
    assert best_first("rmse", values) == ["network", "mean", "none"]
    assert best_first("accuracy", values) == ["mean", "network", "none"]
    assert best_first("unheard of", values) == ["mean", "none", "network"]


def test_names_and_texts_of_any_length() -> None:
    assert joined([]) == ""
    assert joined(["a"]) == "a"
    assert joined("abcd") == "a, b, c and d"
    assert joined("abcdef") == "a, b, c and 3 more"
    assert short("as it is", 8) == "as it is"
    assert short("too long for it", 9) == "too long…"
