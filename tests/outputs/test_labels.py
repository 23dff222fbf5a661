import numpy as np
import pytest
import torch
from output_laws import WIDTH, check_laws, chunk, layer_and_rows
from sklearn.metrics import f1_score
from torch.nn import functional

from lamina.ground import DataError, PlanError, Shape
from lamina.outputs import LabelsOutput, best_lines, with_line_at_half

TOPICS = ["a;b", "b", "c;a", "a", "b;c", "a;b;c", "a; c", "b;a", "c", "a"] * 6


@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_labels_keep_the_laws(weights: str) -> None:
    check_laws(LabelsOutput(column="y", positive_weights=weights), TOPICS)


@pytest.mark.parametrize(
    "cells, separator, labels",
    [
        (["a;b", "c"], ";", ["a", "b", "c"]),
        (["a|b", "c"], "|", ["a", "b", "c"]),
        (["a, b", "c"], ",", ["a", "b", "c"]),
        (["Smith, J; Doe, K", "Roe, L"], ";", ["Doe, K", "Roe, L", "Smith, J"]),
        (['["a", "b"]', "[]", '["c"]'], "json", ["a", "b", "c"]),
        (["a", "b"], "", ["a", "b"]),
        (["a;a", None, "b;"], ";", ["a", "b"]),
    ],
)
def test_the_separator_is_found(cells: list[str | None], separator: str, labels: list[str]) -> None:
    plan = LabelsOutput(column="y")
    facts = plan.fit([chunk("y", cells)])
    assert facts["separator"] == separator
    assert facts["labels"] == labels
    block = plan.prepare(chunk("y", cells), facts)
    np.testing.assert_array_equal(block.values.sum(0), facts["counts"])


def test_gaps_and_unknown_labels_are_named_and_a_row_may_have_none() -> None:
    plan = LabelsOutput(column="y")
    block = plan.prepare(chunk("y", ["b;a", None, "a;x", ""]), plan.fit([chunk("y", TOPICS)]))
    assert block.values.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert set(block.problems) == {1, 2}
    assert "gap" in block.problems[1]
    assert "'x', a label that no training row has" in block.problems[2]


@pytest.mark.parametrize(
    "cells, problem",
    [
        ([None], "nothing but gaps"),
        (["a", "a"], "the single label 'a' in 2 training rows"),
        (["[]", "[]"], "no label in 2"),
        ([f"word{i};other{i}" for i in range(30)], "60 different labels in 30 rows.*free text"),
    ],
)
def test_columns_without_labels_are_refused(cells: list[str | None], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        LabelsOutput(column="y").fit([chunk("y", cells)])


def test_the_loss_is_that_of_torch() -> None:
    layer, _, targets = layer_and_rows(LabelsOutput(column="y"), TOPICS)
    raw = torch.randn(len(TOPICS), 1, 3)
    wanted = functional.binary_cross_entropy_with_logits(raw[:, 0], targets.float())
    torch.testing.assert_close(layer.loss(raw, targets).mean(), wanted)


def test_lines_are_drawn_where_f1_is_largest() -> None:
    generator = np.random.default_rng(0)
    truth = (generator.random((300, 3)) < [0.1, 0.5, 0.01]).astype(np.uint8)
    chances = np.round(np.clip(0.3 * truth + 0.4 * generator.random(truth.shape), 0, 1), 2)  # with ties
    lines = best_lines(chances, truth)
    for label in range(2):
        best = max(f1_score(truth[:, label], chances[:, label] > line, zero_division=0) for line in np.unique(chances))
        assert f1_score(truth[:, label], chances[:, label] > lines[label]) == pytest.approx(best)
    assert lines[2] == 0.5, "too few rows to move the line"
    moved = with_line_at_half(chances, lines)
    np.testing.assert_array_equal(moved > 0.5, chances > lines)
    np.testing.assert_allclose(with_line_at_half(chances, np.full(3, 0.5)), chances)


def test_answers_are_cells_of_the_column() -> None:
    for cells, wanted in ((TOPICS, "a;c"), (['["a", "b"]', '["c"]'], '["a", "c"]')):
        layer, _, _ = layer_and_rows(LabelsOutput(column="y"), cells)
        answers = layer.decode(torch.tensor([[[3.0, -3, 2]], [[-3.0, -3, -3]]]), {})
        assert answers.columns["y"].tolist() == [wanted, "[]" if wanted.startswith("[") else ""]
        given = torch.tensor([3.0, 2.0]).sigmoid().mean().item()
        np.testing.assert_allclose(
            answers.columns["y_confidence"], [given, torch.tensor(3.0).sigmoid().item()], rtol=1e-5
        )


def test_an_unknown_metric_cannot_decide() -> None:
    plan = LabelsOutput(column="y", decides="f1")
    with pytest.raises(PlanError, match="no metric 'f1' for labels"):
        plan.build(plan.fit([chunk("y", TOPICS)]), Shape("vector", WIDTH))
