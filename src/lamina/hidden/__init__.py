"""Layers between inputs and outputs: features -> features."""

from lamina.hidden.activations import (
    ACTIVATIONS,
    INITIALISATIONS,
    POOLINGS,
    ActivationName,
    InitialisationName,
    PoolingName,
    activation,
    initialise,
    pooling,
)
from lamina.hidden.adapters import Adapter, adapt
from lamina.hidden.alexnet import AlexNetPlan
from lamina.hidden.contract import HiddenLayer, HiddenPlan
from lamina.hidden.fusion import FusionLayer, FusionPlan
from lamina.hidden.lenet import LeNetPlan
from lamina.hidden.pretrained import Report, fill_head, load_weights
from lamina.hidden.resnet import RESNETS
from lamina.hidden.vgg import VGGS

HIDDEN: dict[str, type[HiddenPlan]] = {
    "lenet": LeNetPlan,
    "alexnet": AlexNetPlan,
    **VGGS,
    **RESNETS,
    "fusion": FusionPlan,
}
"""Hidden layers by their name in a plan."""

__all__ = [
    "ACTIVATIONS",
    "HIDDEN",
    "INITIALISATIONS",
    "POOLINGS",
    "ActivationName",
    "Adapter",
    "FusionLayer",
    "FusionPlan",
    "HiddenLayer",
    "HiddenPlan",
    "InitialisationName",
    "PoolingName",
    "Report",
    "activation",
    "adapt",
    "fill_head",
    "initialise",
    "load_weights",
    "pooling",
]
