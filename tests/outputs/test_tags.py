import json
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from lamina.data import Chunk, Facts, Ragged
from lamina.ground import DataError, Features, PlanError, Shape, tokens
from lamina.metrics import spans_of
from lamina.outputs import TagsOutput
from lamina.outputs.tags import UNSEEN, TagsLayer

SENTENCES = ["Anna lives in New York", "Rome", "we met Ben", "New York and Rome"]
TAGS = ["B-person O O B-place I-place", "B-place", "O O B-person", "B-place I-place O B-place"]


def chunk(words: list[Any], tags: list[Any]) -> Chunk:
    frame = pl.DataFrame({"text": pl.Series(words, dtype=pl.String), "slots": pl.Series(tags, dtype=pl.String)})
    return Chunk(np.arange(len(words)), frame, lambda column, reference: b"")


def plan(**settings: Any) -> TagsOutput:
    return TagsOutput(column="slots", words="text", **settings)


def facts(words: list[Any] = SENTENCES, tags: list[Any] = TAGS) -> Facts:
    return plan().fit([chunk(words, tags)])


def layer(tags: list[Any] = TAGS, words: list[Any] = SENTENCES) -> TagsLayer:
    torch.manual_seed(0)
    return plan().build(facts(words, tags), Shape("tokens", 6)).eval()


def features(*lengths: int) -> Features:
    torch.manual_seed(1)
    return tokens(torch.randn(len(lengths), max(lengths), 6) * 5, torch.tensor(lengths))


def test_a_row_has_a_target_for_each_word() -> None:
    learned = facts()
    names: Any = learned["tags"]
    block = plan().prepare(chunk(SENTENCES, TAGS), learned)
    assert not block.problems
    assert [[names[number] for number in row] for row in block.by_row()] == [tags.split() for tags in TAGS]


@pytest.mark.parametrize(
    "words, tags, problem",
    [
        ("a b c", "O O", "slots has 2 tags for the 3 words of text"),
        ("a b", "O O O", "slots has 3 tags for the 2 words of text"),
        (None, "O", "text holds no word that could be tagged"),
        ("a", None, "slots is a gap"),
        ("a b", "O B-place", None),
    ],
)
def test_rows_without_a_tag_for_each_word_cannot_be_used(words: Any, tags: Any, problem: str | None) -> None:
    found = plan().prepare(chunk([words], [tags]), facts()).problems
    assert (problem in found[0]) if problem else not found


def test_a_tag_that_training_rows_do_not_have_is_judged_but_never_right() -> None:
    block = plan().prepare(chunk(["a b"], ["O B-date"]), facts())
    assert not block.problems
    assert block.by_row()[0].tolist()[1] == UNSEEN


@pytest.mark.parametrize(
    "words, tags, problem",
    [
        (["a b", "c"], ["O", "O O"], "in no row as many tags"),
        (["a b", "c"], ["O O", "O"], "a single tag, 'O'"),
        ([" ".join("x" * 1001)], [" ".join(f"t{n}" for n in range(1001))], "looks like words"),
    ],
)
def test_what_is_no_column_of_tags_is_refused(words: list[str], tags: list[str], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        plan().fit([chunk(words, tags)])


def test_an_unknown_figure_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(PlanError, match="span_f1"):
        plan(decides="span_f2").build(facts(), Shape("tokens", 6))


def test_no_span_goes_on_that_has_not_begun() -> None:
    made = layer()
    with torch.no_grad():
        answers = made.decode(made(features(9, 30, 1, 17)), {})
    for row in answers.columns["slots"]:
        for before, tag in zip(["O", *row], row, strict=False):
            assert tag[0] != "I" or before[2:] == tag[2:]


def test_where_spans_begin_with_i_they_may() -> None:
    made = layer(["I-person O O I-place I-place", "I-place", "O O I-person", "I-place I-place O I-place"])
    with torch.no_grad():
        rows = made.decode(made(features(*[12] * 40)), {}).columns["slots"]
    assert any(row[0].startswith("I-") for row in rows)
    assert all(spans_of(row) for row in rows if row[0].startswith("I-"))


def test_answers_speak_of_the_words_as_they_stand_in_the_text() -> None:
    made = layer()
    texts = ["In  New York now", "Ben", None]
    with torch.no_grad():
        answers = made.decode(made(features(4, 1, 1)), {"text": pl.Series(texts)})
    assert [len(row) for row in answers.columns["slots"]] == [4, 1, 0]
    assert [len(row) for row in answers.scores] == [4, 1, 0]
    for text, tags, told in zip(texts, answers.columns["slots"], answers.columns["slots_spans"], strict=True):
        assert [span["type"] for span in told] == [span.type for span in spans_of(tags)]
        assert all(text is not None and text[span["start"] : span["end"]] == span["text"] for span in told)
        assert all(0 < span["confidence"] <= 1 for span in told)
    frame = pl.DataFrame([pl.Series(name, answers.columns[name].tolist(), dtype=kind)
                          for name, kind in answers.types.items()])  # fmt: skip
    assert frame.height == 3


def test_kinds_of_words_are_tags_without_spans() -> None:
    made = layer(["N V P N N", "N", "P V N", "N N C N"])
    with torch.no_grad():
        answers = made.decode(made(features(5)), {"text": pl.Series(["a b c d e"])})
    assert set(answers.columns) == {"slots", "slots_confidence"}
    assert made.decides == "tag_accuracy"


def test_an_exported_layer_answers_alike() -> None:
    plain, given = _Plain(layer()), features(5, 2, 1)
    exported = torch.export.export(plain, (given.values, given.lengths)).module()
    torch.testing.assert_close(exported(given.values, given.lengths), plain(given.values, given.lengths))


class _Plain(torch.nn.Module):
    """A layer as a function of tensors, which is what an export takes."""

    def __init__(self, inner: TagsLayer):
        super().__init__()
        self.inner = inner

    def forward(self, values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return self.inner(tokens(values, lengths))


def test_confidences_become_honest() -> None:
    """Scores that are far too sure of tags that are right half of the time are brought down."""
    made = layer()
    torch.manual_seed(0)
    rows, size, count = 200, 5, len(made.tags)
    wanted = torch.randint(count, (rows, size))
    said = torch.where(torch.rand(rows, size) < 0.5, wanted, torch.randint(count, (rows, size)))
    sure = torch.nn.functional.one_hot(said, count) * 10.0
    raw = torch.cat([torch.ones(rows, size, 1), sure.log_softmax(-1)], dim=2)[:, None]
    made.calibrate(raw, Ragged(wanted.flatten(), torch.arange(0, rows * size + 1, size)))
    right = float((said == wanted).float().mean())
    top = (raw[:, 0, :, 1:] / made.temperature).softmax(-1).amax(-1).mean()
    assert float(top) == pytest.approx(right, abs=0.05)


def test_the_usual_tag_of_each_word() -> None:
    words = ["Rome is Rome", "Rome met us", "is it"]
    tags = ["B-place O B-place", "B-person O O", "O O"]
    learned = facts(words, tags)
    names: Any = learned["tags"]
    found = plan().by_word(["us Rome", "never seen", None], learned)
    assert [[names[number] for number in row] for row in found] == [["O", "B-place"], ["O", "O"], []]


def test_lists_and_texts_are_both_words() -> None:
    given = [json.dumps(text.split()) for text in SENTENCES]
    learned = facts(given, [json.dumps(tags.split()) for tags in TAGS])
    assert learned["division"] == "lists"
    assert plan().words_of("Is Ben, here?", learned).words == ["Is", "Ben", ",", "here", "?"]
    assert facts()["division"] == "blanks"
