import json

import numpy as np
import pytest

from lamina.data.vocabulary import END, FIRST, START, UNKNOWN, Unit, Vocabulary
from lamina.ground import RunError

TEXTS = ["the cat sat on the mat, the end", "Zoë sat — on the mat: ✓", "<start> is no mark here"] * 5
UNITS: list[Unit] = ["characters", "subwords"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_text_becomes_numbers_and_back(unit: Unit) -> None:
    learned = Vocabulary.learn(TEXTS, unit, 400)
    kept = Vocabulary.of(json.loads(json.dumps(learned.facts())))
    for text in (*TEXTS, "", " the  the\n"[:5]):
        numbers = kept.numbers(text)
        assert np.array_equal(numbers, learned.numbers(text))
        assert kept.text(numbers) == text
        assert kept.characters[numbers].sum() == len(text)
        assert numbers.min(initial=FIRST) >= FIRST and numbers.max(initial=0) < kept.size
    assert kept.text([START, *kept.numbers("the mat"), END]) == "the mat"


def test_a_character_of_no_training_row_is_unknown_and_a_piece_never_is() -> None:
    characters, pieces = (Vocabulary.learn(TEXTS, unit, 400) for unit in UNITS)
    assert characters.numbers("thQt").tolist()[2] == UNKNOWN
    assert characters.text(characters.numbers("thQt")) == "th\ufffdt"
    assert pieces.text(pieces.numbers("Qué? 猫")) == "Qué? 猫"
    assert pieces.characters[pieces.numbers("Qué? 猫")].sum() == 6


def test_frequent_words_become_one_piece() -> None:
    learned = Vocabulary.learn(TEXTS, "subwords", 400)
    assert len(learned.numbers(" the mat")) == 2
    assert len(learned.numbers("xyzzy")) == 5


def test_damaged_pieces_are_named() -> None:
    with pytest.raises(RunError, match="cannot be read"):
        Vocabulary("subwords", subwords='{"version": 1').numbers("x")
