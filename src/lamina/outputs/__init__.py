"""Ways out: one output layer per column to predict, with its targets, loss, answers and metrics."""

from lamina.outputs.calibration import lowest_share
from lamina.outputs.category import CategoryOutput
from lamina.outputs.contract import Answers, OutputLayer, OutputPlan
from lamina.outputs.decoding import Sampling, write
from lamina.outputs.image import ImageAnswer, ImageOutput, from_bytes, to_bytes
from lamina.outputs.labels import LabelsOutput, best_lines, with_line_at_half
from lamina.outputs.memory import Memory
from lamina.outputs.next import NextLayer, NextOutput
from lamina.outputs.number import NumberOutput, Scale
from lamina.outputs.photo import PhotoAnswer, PhotoOutput
from lamina.outputs.reply import ReplyOutput
from lamina.outputs.row import RowAnswer, RowOutput
from lamina.outputs.tags import TagsOutput
from lamina.outputs.text import TextOutput

OUTPUTS: dict[str, type[OutputPlan]] = {
    "number": NumberOutput,
    "category": CategoryOutput,
    "labels": LabelsOutput,
    "image": ImageOutput,
    "next": NextOutput,
    "photo": PhotoOutput,
    "reply": ReplyOutput,
    "row": RowOutput,
    "tags": TagsOutput,
    "text": TextOutput,
}
"""Output layers by the kind of answer."""

__all__ = [
    "OUTPUTS",
    "Answers",
    "CategoryOutput",
    "ImageAnswer",
    "ImageOutput",
    "LabelsOutput",
    "Memory",
    "NextLayer",
    "NextOutput",
    "NumberOutput",
    "OutputLayer",
    "OutputPlan",
    "PhotoAnswer",
    "PhotoOutput",
    "ReplyOutput",
    "RowAnswer",
    "RowOutput",
    "Sampling",
    "Scale",
    "TagsOutput",
    "TextOutput",
    "best_lines",
    "from_bytes",
    "lowest_share",
    "to_bytes",
    "with_line_at_half",
    "write",
]
