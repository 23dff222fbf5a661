import math

import torch

from lamina.metrics import Metric
from lamina.training import Best

ERROR = Metric("rmse", lambda scores, truth: 0.0, larger_is_better=False)


def test_the_best_weights_are_a_copy() -> None:
    best, weights = Best(ERROR), {"w": torch.ones(2)}
    assert best.judge(1.0, 10, weights)
    weights["w"].zero_()
    assert not best.judge(2.0, 20, weights)
    assert best.weights["w"].tolist() == [1, 1]
    assert (best.figure, best.step, best.since) == (1.0, 10, 1)


def test_patience_counts_judgements_without_a_better_one() -> None:
    best = Best(ERROR, patience=2)
    figures = [3.0, 2.0, 2.5, 2.0]
    reasons = []
    for step, figure in enumerate(figures):
        best.judge(figure, step, {})
        reasons.append(best.reason_to_stop())
    assert reasons[:3] == [None, None, None]
    assert reasons[3] == "no better rmse in 2 judgements"


def test_anything_beats_a_figure_that_is_not_a_number() -> None:
    best = Best(ERROR)
    best.judge(math.nan, 1, {})
    assert best.judge(9.0, 2, {})
    assert not best.judge(math.nan, 3, {})
