import pytest

from lamina.data.words import divided, division_of, entries, listed


@pytest.mark.parametrize(
    "cell, expected",
    [
        ('["a", "b c"]', ["a", "b c"]),
        ("[]", []),
        ("[1, 2]", None),
        ("[citation needed]", None),
        ("a b", None),
        ("", None),
        (None, None),
    ],
)
def test_lists_of_texts_are_told_from_texts(cell: str | None, expected: list[str] | None) -> None:
    assert listed(cell) == expected


def test_given_words_stay_as_they_are_and_their_places_are_those_in_the_text() -> None:
    found = divided('["New York", "is", "big", "."]', "lists")
    assert found.words == ["New York", "is", "big", "."]
    assert found.text == "New York is big ."
    assert [found.text[start : found.end(place)] for place, start in enumerate(found.starts)] == found.words
    assert found.between(0, 2) == "New York is"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Anna's in  Paris, not Rome.", ["Anna's", "in", "Paris", ",", "not", "Rome", "."]),
        ("see https://x.org/a?b=1 @ben #now", ["see", "https://x.org/a?b=1", "@ben", "#now"]),
        ("(3.5 %)", ["(", "3.5", "%", ")"]),
    ],
)
def test_running_text_is_divided_where_lists_were_learned_from(text: str, expected: list[str]) -> None:
    found = divided(text, "lists")
    assert found.words == expected
    assert [text[start : found.end(place)] for place, start in enumerate(found.starts)] == expected


def test_texts_are_parted_by_blanks_where_texts_were_learned_from() -> None:
    found = divided("play  Rome, now", "blanks")
    assert (found.words, found.starts) == (["play", "Rome,", "now"], [0, 6, 12])
    assert divided(None, "blanks").words == []


def test_how_a_column_is_divided_is_seen_in_all_of_its_cells() -> None:
    assert division_of(['["a"]', None, "[]"]) == "lists"
    assert division_of(['["a"]', "a b"]) == "blanks"


def test_tags_are_a_list_or_stand_between_blanks() -> None:
    assert entries('["O", "B-x y"]') == ["O", "B-x y"]
    assert entries("O  B-x") == ["O", "B-x"]
    assert entries(None) == []
