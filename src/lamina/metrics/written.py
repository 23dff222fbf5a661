"""Figures for text that was written as an answer, as sacrebleu counts them; (rows,) of texts against token numbers.

While training goes on nothing is written, and rows are judged by what their true answers cost: see `language`.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from lamina.ground.errors import MachineError
from lamina.metrics.language import language_metrics
from lamina.metrics.metric import Metric, Weighted

Texts = Callable[[Iterable[int]], str]
"""Token numbers -> the text they stand for."""


def written_metrics(text_of: Texts) -> dict[str, Metric]:
    """Every figure for written answers, by key.

    Args:
        text_of: turns the truth, which is token numbers, into text.
    """

    def weighted(scores: np.ndarray, truth: np.ndarray) -> Weighted:
        return _weighted_bleu(scores.tolist(), [text_of(row) for row in truth])

    def bleu(scores: np.ndarray, truth: np.ndarray) -> float:
        return weighted(scores, truth)(np.ones(len(scores))) if scores.dtype == object else float("nan")

    def same(scores: np.ndarray, truth: np.ndarray) -> float:
        if scores.dtype != object:
            return float("nan")
        return float(np.mean([text == text_of(row) for text, row in zip(scores, truth, strict=True)]))

    return {
        "bleu": Metric("bleu", bleu, True, "BLEU", weighted),
        "exact": Metric("exact", same, True, "exactly right"),
        **{key: _of_costs(metric) for key, metric in language_metrics().items()},
    }


def _of_costs(metric: Metric) -> Metric:
    """A figure of costs, which is not a number for answers that were written."""

    def measure(scores: np.ndarray, truth: np.ndarray) -> float:
        return float("nan") if scores.dtype == object else metric.measure(scores, truth)

    return Metric(metric.key, measure, metric.larger_is_better, metric.label)


def _weighted_bleu(answers: Sequence[str], truths: Sequence[str]) -> Weighted:
    """BLEU of the corpus in which each row stands several times; n-grams are counted once."""
    from sacrebleu.metrics.bleu import BLEU

    by_row = []
    sentence = BLEU(effective_order=True)
    for answer, truth in zip(answers, truths, strict=True):
        found = sentence.sentence_score(answer, [truth])
        by_row.append([*found.counts, *found.totals, found.sys_len, found.ref_len])
    counted = np.array(by_row, dtype=np.float64)

    def measure(times: np.ndarray) -> float:
        *grams, own, theirs = (times @ counted).round().astype(int).tolist()
        order = len(grams) // 2
        if not own:
            return 0.0
        return float(BLEU.compute_bleu(grams[:order], grams[order:], own, theirs, smooth_method="exp").score)

    return measure


def bleu_signature() -> str:
    """How BLEU is counted, for those who compare with others.

    Raises:
        MachineError: if sacrebleu is not installed.
    """
    try:
        import sacrebleu
    except ImportError as error:
        raise MachineError("Answers in words are measured by sacrebleu, which is not installed: "
                           "pip install 'lamina[metrics]'") from error  # fmt: skip
    return f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{sacrebleu.__version__}"
