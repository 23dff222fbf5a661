import json
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from lamina.data import Chunk, Ragged
from lamina.ground import DataError, PlanError, torch_generator
from lamina.inputs import WordsInput
from lamina.inputs.tokens import NOTHING, UNKNOWN


def chunk(*cells: str | None) -> Chunk:
    frame = pl.DataFrame({"text": pl.Series(cells, dtype=pl.String)})
    return Chunk(np.arange(len(cells)), frame, lambda column, reference: b"")


def plan(**settings: Any) -> WordsInput:
    return WordsInput(columns=("text",), **{"least": 1, **settings})


def lists(*rows: str) -> list[str]:
    return [json.dumps(row.split("|")) for row in rows]


def test_each_given_word_has_one_vector_and_no_other() -> None:
    given = lists("New York|,|don't|x-1", "a")
    facts = plan().fit([chunk(*given)])
    block = plan().prepare(chunk(*given), facts)
    assert [len(row) for row in block.by_row()] == [4, 1]
    assert [len(row) for row in plan().prepare(chunk("a b, c", None, ""), facts).by_row()] == [4, 1, 1]


def test_capitals_and_digits_are_folded_but_spelled() -> None:
    facts = plan(letters=4).fit([chunk("Rome rome ROME Ra Ri ra ri 1990 1991 me")])
    rows = plan(letters=4).prepare(chunk("Rome rome 1990 1991"), facts).by_row()[0]
    assert rows[0, 0] == rows[1, 0] and rows[2, 0] == rows[3, 0] != rows[0, 0]
    assert not np.array_equal(rows[0, 1:], rows[1, 1:])
    whole = plan(fold=False).fit([chunk("Rome rome")])
    assert sorted(whole["known"]) == ["Rome", "rome"]  # type: ignore[call-overload]


def test_long_words_keep_their_beginning_and_end() -> None:
    facts = plan(letters=4).fit([chunk("abcdxyz abcd xyz abyz a b c d x y z")])
    long, short = plan(letters=4).prepare(chunk("abcdxyz abyz"), facts).by_row()[0]
    assert np.array_equal(long[1:], short[1:])


def test_a_word_that_was_never_met_is_known_by_its_letters() -> None:
    facts = plan().fit([chunk("walking talking", "walking king")])
    layer = plan().build(facts).eval()
    block = plan().prepare(chunk("balking gnix", "balking"), facts)
    assert block.by_row()[0][:, 0].tolist() == [UNKNOWN, UNKNOWN]
    assert block.offsets is not None
    found = layer(Ragged(torch.from_numpy(block.values), torch.from_numpy(block.offsets)))
    assert found.values.shape == (2, 2, 128)
    assert torch.equal(found.values[0, 0], found.values[1, 0])
    assert not torch.allclose(found.values[0, 0], found.values[0, 1])
    assert torch.equal(found.values[0, 0, :64], found.values[0, 1, :64])


def test_nothing_is_spelled_without_spelling() -> None:
    facts = plan(spelling=0).fit([chunk("a b")])
    assert plan(spelling=0).prepare(chunk("a"), facts).values.shape == (1, 1)
    assert plan(spelling=0).build(facts).shape.width == 64


def test_forgotten_words_keep_their_spelling() -> None:
    facts = plan().fit([chunk("a b c d e f")])
    block = plan().prepare(chunk("a b c d e f " * 50, None), facts)
    assert block.offsets is not None
    given = Ragged(torch.from_numpy(block.values), torch.from_numpy(block.offsets))
    found, geometry = plan(forget=0.3).build(facts).augment(given, torch_generator("words", 0))
    assert isinstance(found, Ragged) and not geometry
    forgotten = found.values[:, 0] == UNKNOWN
    assert 0.2 < forgotten.float().mean() < 0.4
    assert torch.equal(found.values[:, 1:], given.values[:, 1:])
    assert found.values[-1, 0] == NOTHING


@pytest.mark.parametrize(
    "settings", [{"columns": ("a", "b")}, {"width": 0}, {"letters": 1}, {"spelling": -1}, {"forget": 1.0}]
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(PlanError):
        WordsInput(**{"columns": ("text",), **settings})


def test_a_column_without_a_word_is_refused() -> None:
    with pytest.raises(DataError, match="'text' holds no word"):
        plan().fit([chunk(None, "[]")])


def test_marks_stand_apart_from_words_where_that_is_asked_for() -> None:
    text = chunk("no, don't!")
    told = [plan(marks=marks).prepare(text, plan(marks=marks).fit([text])) for marks in (False, True)]
    assert [len(block.by_row()[0]) for block in told] == [2, 4]


def test_how_a_word_is_spelled_does_not_hang_on_longer_words_beside_it() -> None:
    facts = plan().fit([chunk("to be or not")])
    speller = plan().build(facts).eval().speller
    assert speller is not None
    letters = torch.from_numpy(plan().prepare(chunk("be not"), facts).values[:, 1:])
    longer = torch.from_numpy(plan().prepare(chunk("be not notorbeto"), facts).values[:, 1:])
    assert torch.allclose(speller(letters), speller(longer)[:2], atol=1e-6)
    assert not torch.allclose(speller(letters)[0], speller(letters)[1])
