import random

import numpy as np
import polars as pl
import pytest

from lamina.data import how_answered

DRAW = np.random.default_rng(0)
QUESTIONS = ["".join(DRAW.choice(list("abcd "), DRAW.integers(5, 60))) for _ in range(300)]
LINES = ["".join(DRAW.choice(list("efgh "), DRAW.integers(5, 60))) for _ in range(300)]


def said(questions: list[str], answers: list[str], names: tuple[str, str] = ("question", "answer")) -> tuple[str, str]:
    return how_answered(pl.Series(names[0], questions), pl.Series(names[1], answers))


@pytest.mark.parametrize(
    "answers, kind, reason",
    [
        ([LINES[row % 100] for row in range(300)], "reply", "100 answers are given again and again in 300 rows"),
        ([LINES[row % 240] for row in range(300)], "reply", "correlation of lengths"),
        (LINES, "text", "texts of their own"),  # none comes back
        ([question[::-1] + "!" for question in QUESTIONS], "text", "their own"),  # says what the question says
        ([f"2020-01-{row:03}" for row in range(300)], "text", "their own"),  # all of one length
    ],
)
def test_answers_that_recur_or_are_unrelated_in_length_are_looked_up(
    answers: list[str], kind: str, reason: str
) -> None:
    found, why = said(QUESTIONS, answers)
    assert found == kind and reason in why


ENGLISH = [
    "Where can I park my car?", "What does a copy cost?", "Is there a cloakroom?", "When do you open on Saturday?",
    "Can I bring my dog?", "How do I renew a book?", "Where is the lift?", "Who may use the piano?",
]  # fmt: skip
ANSWERS = [
    "You can park behind the house.", "Ten cents, at the desk.", "There is one, to the left of the door.", "At ten.",
    "No, but you can leave it with us.", "On our page, or at the desk.", "Next to the stairs, on the left.",
    "Whoever can play. Is it for you? What can you play?",
]  # fmt: skip
GERMAN = [
    "Wo kann ich mein Auto abstellen?", "Was kostet eine Kopie?", "Gibt es eine Garderobe?",
    "Wann haben Sie am Samstag geöffnet?", "Darf mein Hund mitkommen?", "Wie verlängere ich ein Buch?",
    "Wo ist der Aufzug?", "Wer darf am Klavier spielen?",
]  # fmt: skip
AGAIN = random.Random(0).choices(range(8), k=60)
WAYS = ["{}", "Hello, {}", "Tell me: {}"]


@pytest.mark.parametrize(
    "asked, answers, names, kind, reason",
    [
        # The same few sentences again and again.
        (ENGLISH, GERMAN, ("question", "answer"), "text", "another language"),
        (GERMAN, ENGLISH, ("source", "target"), "text", "another language"),
        (ENGLISH, ANSWERS, ("question", "answer"), "reply", "given again and again"),
        (ENGLISH, GERMAN[::-1], ("question", "answer"), "reply", "no longer answers"),  # but it does not say the same
        (ENGLISH, ANSWERS, ("en", "answer"), "reply", "given again and again"),
        (ENGLISH, ANSWERS, ("en", "en-GB"), "text", "en and en-GB are names of languages"),
        (ENGLISH, ANSWERS, ("En", "de_AT"), "text", "En and de_AT are names of languages"),
        (ENGLISH, ANSWERS, ("en", "en"), "reply", "given again and again"),
        (ENGLISH, ANSWERS, ("en", "xx"), "reply", "given again and again"),
        # Letters for words where no spaces part them.
        (["你好吗?你是谁?", "今天天气怎么样?"] * 4, ["狗和猫都在房子里", "我明天再来看书"] * 4, ("a", "b"), "reply", "again"),
        (ENGLISH, ["42", "17", "5", "9", "1", "2", "3", "4"], ("a", "b"), "reply", "again"),  # no words to tell by
    ],
)  # fmt: skip
def test_a_translation_of_few_sentences_is_no_chatbot(
    asked: list[str], answers: list[str], names: tuple[str, str], kind: str, reason: str
) -> None:
    found, why = said([asked[row] for row in AGAIN], [answers[row] for row in AGAIN], names)
    assert found == kind and reason in why, why


def test_answers_in_another_language_are_looked_up_where_they_are_asked_for_in_several_ways() -> None:
    asked = [WAYS[row % 3].format(ENGLISH[place]) for row, place in enumerate(AGAIN)]
    assert said(asked, [GERMAN[place] for place in AGAIN])[0] == "reply"


def test_gaps_do_not_count() -> None:
    assert how_answered(pl.Series(["a", None]), pl.Series([None, "b"]))[0] == "text"
