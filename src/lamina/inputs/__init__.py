"""Ways in: one input layer per group of columns of a kind, from cells to features."""

from lamina.inputs.contract import InputLayer, InputPlan

INPUTS: dict[str, type[InputPlan]] = {}
"""Input layers by the kind of column."""

__all__ = ["INPUTS", "InputLayer", "InputPlan"]
