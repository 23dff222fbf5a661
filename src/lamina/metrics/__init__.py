"""Figures by which answers are judged, thin over well-kept libraries."""

from lamina.metrics.bootstrap import difference, interval
from lamina.metrics.classes import class_metrics
from lamina.metrics.label_sets import label_metrics
from lamina.metrics.language import language_metrics
from lamina.metrics.metric import Metric
from lamina.metrics.numbers import number_metrics
from lamina.metrics.outside import outside_metrics
from lamina.metrics.pictures import (
    PICTURE_SETS,
    Coverage,
    coverage,
    frechet,
    photo_metrics,
    picture_metrics,
    psnr,
    ssim,
)
from lamina.metrics.replies import reply_metrics
from lamina.metrics.rows import ROW_SETS, classes_apart, numbers_apart
from lamina.metrics.spans import UNSEEN, Span, has_spans, spans_of, tag_metrics
from lamina.metrics.written import bleu_signature, written_metrics

METRICS: dict[str, Metric] = {
    **reply_metrics(), **outside_metrics(2, 1), **tag_metrics(["B", "I", "O"], True), **label_metrics(),
    **number_metrics(True, 0.5), **class_metrics(2, 1), **written_metrics(str), **language_metrics(), **photo_metrics(),
    **PICTURE_SETS, **ROW_SETS,
}  # fmt: skip
"""A metric for each key, for its name and direction; what measures is asked of the output."""

__all__ = [
    "METRICS",
    "PICTURE_SETS",
    "ROW_SETS",
    "UNSEEN",
    "Coverage",
    "Metric",
    "Span",
    "bleu_signature",
    "class_metrics",
    "classes_apart",
    "coverage",
    "difference",
    "frechet",
    "has_spans",
    "interval",
    "label_metrics",
    "language_metrics",
    "number_metrics",
    "numbers_apart",
    "outside_metrics",
    "photo_metrics",
    "picture_metrics",
    "psnr",
    "reply_metrics",
    "spans_of",
    "ssim",
    "tag_metrics",
    "written_metrics",
]
