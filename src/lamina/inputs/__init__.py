"""Ways in: one input layer per group of columns of a kind, from cells to features."""

from lamina.inputs._phrases import has_words
from lamina.inputs.before import BeforeInput, BeforeLayer
from lamina.inputs.category import CategoryInput
from lamina.inputs.contract import InputLayer, InputPlan
from lamina.inputs.image import ImageInput
from lamina.inputs.moment import MomentInput
from lamina.inputs.noise import NoiseInput
from lamina.inputs.number import NumberInput
from lamina.inputs.photo import PhotoInput
from lamina.inputs.text import TextBagInput
from lamina.inputs.tokens import TokensInput
from lamina.inputs.words import WordsInput

INPUTS: dict[str, type[InputPlan]] = {
    "number": NumberInput,
    "category": CategoryInput,
    "moment": MomentInput,
    "text": TextBagInput,
    "tokens": TokensInput,
    "before": BeforeInput,
    "words": WordsInput,
    "image": ImageInput,
    "noise": NoiseInput,
    "photo": PhotoInput,
}
"""Input layers by the kind of column; `tokens` and `words` read columns of text in their order."""

__all__ = [
    "INPUTS",
    "BeforeInput",
    "BeforeLayer",
    "CategoryInput",
    "ImageInput",
    "InputLayer",
    "InputPlan",
    "MomentInput",
    "NoiseInput",
    "NumberInput",
    "PhotoInput",
    "TextBagInput",
    "TokensInput",
    "WordsInput",
    "has_words",
]
