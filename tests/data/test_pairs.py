import numpy as np
import polars as pl
import pytest

from lamina.data import why_looked_up

DRAW = np.random.default_rng(0)
QUESTIONS = ["".join(DRAW.choice(list("abcd "), DRAW.integers(5, 60))) for _ in range(300)]
LINES = ["".join(DRAW.choice(list("efgh "), DRAW.integers(5, 60))) for _ in range(300)]


@pytest.mark.parametrize(
    "answers, reason",
    [
        ([LINES[row % 100] for row in range(300)], "100 answers are given again and again in 300 rows"),
        ([LINES[row % 240] for row in range(300)], "correlation of lengths"),
        (LINES, None),  # none comes back
        ([question[::-1] + "!" for question in QUESTIONS], None),  # says what the question says
        ([f"2020-01-{row:03}" for row in range(300)], None),  # all of one length
    ],
)
def test_answers_that_recur_or_are_unrelated_in_length_are_looked_up(answers: list[str], reason: str | None) -> None:
    found = why_looked_up(pl.Series(QUESTIONS), pl.Series(answers))
    assert reason is None if found is None else reason is not None and reason in found


def test_gaps_do_not_count() -> None:
    assert why_looked_up(pl.Series(["a", None]), pl.Series([None, "b"])) is None
