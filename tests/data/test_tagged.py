"""Columns of tags, as `understand` finds them."""

import json

import polars as pl
import pytest

from lamina.data import Table, guess_targets, understand
from lamina.ground import PlanError

TEXTS = ["play jazz by ella", "add it", "what is the weather in new york", "book a table now", "stop"] * 6
SLOTS = [["O", "B-genre", "O", "B-artist"], ["O", "O"], ["O"] * 5 + ["B-city", "I-city"], ["O"] * 4, ["O"]] * 6
INTENTS = ["play", "add", "weather", "book", "stop"] * 6


def table(**columns: list[str]) -> Table:
    return Table(pl.DataFrame(columns))


def lists(rows: list[list[str]]) -> list[str]:
    return [json.dumps(row) for row in rows]


WORDS = lists([text.split() for text in TEXTS])


@pytest.mark.parametrize("texts", [TEXTS, WORDS])
@pytest.mark.parametrize("slots", [lists(SLOTS), [" ".join(row) for row in SLOTS]])
def test_a_tag_for_each_word_is_found_and_set_aside_or_predicted(texts: list[str], slots: list[str]) -> None:
    given = table(text=texts, slots=slots, intent=INTENTS)
    column = understand(given, ["intent"])["slots"]
    assert (column.kind, column.role, column.of) == ("tags", "ignore", "text")
    assert "one for each word of 'text'" in column.reason
    both = understand(given, ["intent", "slots"])
    assert both["slots"].role == "target"
    assert (both["text"].kind, both["text"].role) == ("text", "input")


def test_kinds_of_words_are_tags_where_they_are_to_be_predicted() -> None:
    kinds = [" ".join("VNNP"[min(place, 3)] for place, _ in enumerate(text.split())) for text in TEXTS]
    found = understand(table(text=TEXTS, kinds=kinds), ["kinds"])["kinds"]
    assert (found.kind, found.of) == ("tags", "text")
    assert understand(table(text=TEXTS, kinds=kinds), None)["kinds"].kind != "tags"


@pytest.mark.parametrize(
    "columns",
    [
        {"first": ["New York", "San Jose", "Las Vegas"] * 5, "second": ["big city", "warm place", "in desert"] * 5},
        {"english": TEXTS, "german": [text.upper() for text in TEXTS]},
        {"labels": lists([["a", "b"], ["a"], []] * 5), "more": lists([["b", "a"], ["b"], []] * 5)},
    ],
)
def test_other_columns_of_equal_lengths_are_no_tags(columns: dict[str, list[str]]) -> None:
    assert all(column.kind != "tags" for column in understand(table(**columns), None).values())


def test_a_person_may_say_that_a_column_holds_tags_but_not_where_it_cannot() -> None:
    kinds = [text.upper() for text in TEXTS]
    said = {"kinds": {"kind": "tags"}}
    assert understand(table(text=TEXTS, kinds=kinds), ["kinds"], said)["kinds"].of == "text"
    with pytest.raises(PlanError, match="no other column has as many words"):
        understand(table(kinds=kinds, number=["1"] * 30), ["kinds"], said)
    with pytest.raises(PlanError, match="predicted or ignored"):
        understand(table(text=TEXTS, kinds=kinds), None, {"kinds": {"kind": "tags", "role": "input"}})


def test_a_column_of_tags_is_guessed_to_be_the_answer_where_nothing_else_could_be() -> None:
    given = table(text=TEXTS, slots=lists(SLOTS))
    found = guess_targets(given, understand(given, None))
    assert found is not None and found[0] == ("slots",)
