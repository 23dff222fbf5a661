import numpy as np
import pytest

from lamina.data import in_rows
from lamina.metrics import METRICS, interval, language_metrics, written_metrics

TRUTHS = ["the cat sat on the mat today", "a dog runs.", "two birds fly over the house"]
ANSWERS = ["the cat sat on a mat today", "a dog runs.", "birds fly over houses"]


def texts(rows: list[str]) -> np.ndarray:
    return in_rows(rows)


def test_bleu_is_that_of_sacrebleu_however_often_a_row_counts() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    metric = written_metrics(str)["bleu"]
    assert metric.measure(texts(ANSWERS), texts(TRUTHS)) == pytest.approx(
        sacrebleu.corpus_bleu(ANSWERS, [TRUTHS]).score
    )
    assert metric.weighted is not None
    measure = metric.weighted(texts(ANSWERS), texts(TRUTHS))
    twice = sacrebleu.corpus_bleu([ANSWERS[0], *ANSWERS[:2]], [[TRUTHS[0], *TRUTHS[:2]]]).score
    assert measure(np.array([2, 1, 0])) == pytest.approx(twice)
    low, high = interval(metric, texts(ANSWERS), texts(TRUTHS), 0)[1:]
    assert low <= metric.measure(texts(ANSWERS), texts(TRUTHS)) <= high


def test_costs_are_no_written_answers_and_the_other_way_round() -> None:
    found = written_metrics(str)
    costs = np.array([[20.0, 5, 10], [30.0, 5, 15]])
    assert np.isnan(found["bleu"].measure(costs, texts(["", ""]))) and np.isnan(found["exact"].measure(costs, costs))
    assert np.isnan(found["perplexity"].measure(texts(ANSWERS), texts(TRUTHS)))
    assert found["exact"].measure(texts(ANSWERS), texts(TRUTHS)) == pytest.approx(1 / 3)


def test_a_text_is_weighed_by_its_characters_and_perplexity_by_its_tokens() -> None:
    costs, truth = np.array([[20.0, 5, 10], [30.0, 5, 15]]), np.zeros(2)
    found = language_metrics()
    assert found["nats_per_character"].measure(costs, truth) == pytest.approx(50 / 25)
    assert found["bits_per_character"].measure(costs, truth) == pytest.approx(2 / np.log(2))
    assert found["perplexity"].measure(costs, truth) == pytest.approx(np.exp(5))
    assert found["nats_per_character"].weighted is not None
    assert found["nats_per_character"].weighted(costs, truth)(np.array([0, 2])) == pytest.approx(2)


def test_every_figure_has_a_name_and_a_direction() -> None:
    for key, larger in (("bleu", True), ("nats_per_character", False), ("perplexity", False), ("exact", True)):
        assert METRICS[key].larger_is_better is larger and METRICS[key].label
