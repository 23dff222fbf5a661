"""Ways in: one input layer per group of columns of a kind, from cells to features."""

from lamina.inputs.category import CategoryInput
from lamina.inputs.contract import InputLayer, InputPlan
from lamina.inputs.image import ImageInput
from lamina.inputs.moment import MomentInput
from lamina.inputs.number import NumberInput
from lamina.inputs.text import TextBagInput

INPUTS: dict[str, type[InputPlan]] = {
    "number": NumberInput,
    "category": CategoryInput,
    "moment": MomentInput,
    "text": TextBagInput,
    "image": ImageInput,
}
"""Input layers by the kind of column."""

__all__ = [
    "INPUTS",
    "CategoryInput",
    "ImageInput",
    "InputLayer",
    "InputPlan",
    "MomentInput",
    "NumberInput",
    "TextBagInput",
]
