"""Questions with answers: whether answers are better looked up among the known ones, or written."""

import numpy as np
import polars as pl

RECUR = 0.5
"""Different answers up to this share of the rows: they are said again and again."""
SELDOM = 0.9
"""Different answers above this share of the rows: too few come back for any to be looked up, or held out."""
TOGETHER = 0.5
"""Correlation of lengths above which answers say what the questions say, as translations do (docs/lab-notes.md)."""
ALIKE = 0.1
"""Spread of the answers' lengths, as part of their mean, up to which lengths tell nothing: dates, codes."""
MOST_ANSWERS = 20_000
"""Different answers up to which all of them are compared with each question."""


def why_looked_up(questions: pl.Series, answers: pl.Series) -> str | None:
    """The reason to look answers up; None where they are to be written.

    Args:
        questions: (rows,) of text.
        answers: (rows,) of text.
    """
    both = pl.DataFrame({"question": questions.cast(pl.String), "answer": answers.cast(pl.String)}).drop_nulls()
    rows, different = both.height, both["answer"].n_unique()
    if rows < 2 or different > min(MOST_ANSWERS, SELDOM * rows):
        return None
    if different <= RECUR * rows:
        return f"{different:,} answers are given again and again in {rows:,} rows: the best of them is looked up"
    asked, said = (both[name].str.len_chars().to_numpy().astype(np.float64) for name in ("question", "answer"))
    if said.std() <= ALIKE * said.mean() or asked.std() == 0:
        return None
    together = float(np.corrcoef(np.log1p(asked), np.log1p(said))[0, 1])
    if together >= TOGETHER:
        return None
    return (
        f"long questions have no longer answers (correlation of lengths {together:.2f}), so an answer does not say "
        "what the question says, as a translation does: the best known one is looked up"
    )
