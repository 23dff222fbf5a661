"""Figures by which answers are judged, thin over well-kept libraries."""

from lamina.metrics.bootstrap import difference, interval
from lamina.metrics.classes import class_metrics
from lamina.metrics.label_sets import label_metrics
from lamina.metrics.metric import Metric
from lamina.metrics.numbers import number_metrics

__all__ = ["Metric", "class_metrics", "difference", "interval", "label_metrics", "number_metrics"]
