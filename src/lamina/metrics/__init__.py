"""Figures by which answers are judged, thin over well-kept libraries."""

from lamina.metrics.bootstrap import difference, interval
from lamina.metrics.classes import class_metrics
from lamina.metrics.label_sets import label_metrics
from lamina.metrics.metric import Metric
from lamina.metrics.numbers import number_metrics

METRICS: dict[str, Metric] = label_metrics() | number_metrics(True, 0.5) | class_metrics(2, 1)
"""A metric for each key, for its name and direction; what measures is asked of the output."""

__all__ = ["METRICS", "Metric", "class_metrics", "difference", "interval", "label_metrics", "number_metrics"]
