import numpy as np
import pytest

from lamina.metrics import Span, has_spans, spans_of, tag_metrics


@pytest.mark.parametrize(
    "tags, expected",
    [
        ("O B-x I-x O", [("x", 1, 3)]),
        ("B-x B-x I-y", [("x", 0, 1), ("x", 1, 2), ("y", 2, 3)]),
        ("I-x I-x O I-y", [("x", 0, 2), ("y", 3, 4)]),  # IOB1
        ("I-x B-x", [("x", 0, 1), ("x", 1, 2)]),
        ("S-x B-y I-y E-y", [("x", 0, 1), ("y", 1, 4)]),
        ("U-x B-y L-y I-y", [("x", 0, 1), ("y", 1, 3), ("y", 3, 4)]),
        ("B I O", [("", 0, 2)]),
        ("B-a-b I-a-b", [("a-b", 0, 2)]),
        ("", []),
    ],
)
def test_spans_are_those_that_conlleval_finds(tags: str, expected: list[tuple[str, int, int]]) -> None:
    assert spans_of(tags.split()) == [Span(*one) for one in expected]


@pytest.mark.parametrize(
    "names, expected",
    [(["O", "B-x", "I-x"], True), (["O", "I-x"], True), (["O"], False), (["NN", "VB", "O"], False), (["B", "O"], True)],
)
def test_tags_of_spans_are_told_from_kinds_of_words(names: list[str], expected: bool) -> None:
    assert has_spans(names) == expected


def rows(names: list[str], *texts: str) -> np.ndarray:
    made = np.empty(len(texts), dtype=object)
    for place, text in enumerate(texts):
        made[place] = np.array([names.index(tag) if tag in names else -1 for tag in text.split()], dtype=np.int64)
    return made


NAMES = ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]


def test_figures_are_those_of_an_example_counted_by_hand() -> None:
    # Truth: 4 spans. Answered: 5, of which "Anna" and "New York" are right; "Rome" has the wrong type, the last is cut.
    truth = rows(NAMES, "B-PER O B-LOC I-LOC", "B-LOC O B-PER I-PER O")
    said = rows(NAMES, "B-PER O B-LOC I-LOC", "B-PER O B-PER O B-LOC")
    found = {key: metric.measure(said, truth) for key, metric in tag_metrics(NAMES, True).items()}
    assert found == pytest.approx(
        {"span_precision": 2 / 5, "span_recall": 2 / 4, "span_f1": 2 * 2 / 9, "tag_accuracy": 6 / 9}
    )


def test_the_weighted_form_counts_rows_several_times() -> None:
    truth, said = rows(NAMES, "B-PER O", "B-LOC I-LOC", "O"), rows(NAMES, "B-PER O", "B-LOC O", "B-PER")
    twice = np.array([0, 1, 1])
    for metric in tag_metrics(NAMES, True).values():
        assert metric.weighted is not None
        times = np.bincount(twice, minlength=3)
        assert metric.weighted(said, truth)(times) == pytest.approx(metric.measure(said[twice], truth[twice]))


def test_a_tag_that_training_rows_do_not_have_is_never_right() -> None:
    truth, said = rows(NAMES, "B-MISC I-MISC O"), rows(NAMES, "O O O")
    found = {key: metric.measure(said, truth) for key, metric in tag_metrics(NAMES, True).items()}
    assert found["span_recall"] == 0
    assert found["tag_accuracy"] == pytest.approx(1 / 3)


def test_nothing_there_and_nothing_answered_is_no_figure() -> None:
    nothing = rows(NAMES, "O O")
    assert np.isnan(tag_metrics(NAMES, True)["span_f1"].measure(nothing, nothing))
    assert tag_metrics(NAMES, True)["span_f1"].measure(rows(NAMES, "B-PER O"), nothing) == 0
    assert list(tag_metrics(["DET", "NOUN"], False)) == ["tag_accuracy"]
