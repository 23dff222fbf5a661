"""Ways out: one output layer per column to predict, with its targets, loss, answers and metrics."""

from lamina.outputs.category import CategoryOutput
from lamina.outputs.contract import Answers, OutputLayer, OutputPlan
from lamina.outputs.labels import LabelsOutput
from lamina.outputs.number import NumberOutput

OUTPUTS: dict[str, type[OutputPlan]] = {
    "number": NumberOutput,
    "category": CategoryOutput,
    "labels": LabelsOutput,
}
"""Output layers by the kind of answer."""

__all__ = ["OUTPUTS", "Answers", "CategoryOutput", "LabelsOutput", "NumberOutput", "OutputLayer", "OutputPlan"]
