import numpy as np
import polars as pl

from lamina.data import Column, Table
from lamina.outputs import TextOutput
from lamina.run.replies import fit_replies

TABLE = Table(
    pl.DataFrame(
        {
            "en": ["a red dog", "a blue cat", "two birds fly", "a blue cat sleeps", None],
            "de": ["ein roter Hund", "eine blaue Katze", "zwei Vögel fliegen", "x", "y"],
        }
    )
)
COLUMNS = [Column(name="en", kind="text"), Column(name="de", kind="text", role="target")]


def test_a_text_is_copied_or_answered_as_the_likest_one_was() -> None:
    (copy, copied, *_), (likest, nearest, rows, _) = fit_replies(TABLE, COLUMNS, TextOutput(column="de"), np.arange(3))
    asked = np.array([3, 0, 4])
    assert (copy, likest, rows) == ("copy", "answer to the likest text", 3)
    assert copied(TABLE, asked).tolist() == ["a blue cat sleeps", "a red dog", ""]
    assert nearest(TABLE, asked).tolist()[:2] == ["eine blaue Katze", "ein roter Hund"]
    assert len(nearest(TABLE, np.empty(0, int))) == 0
