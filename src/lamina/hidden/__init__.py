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
from lamina.hidden.apart import ApartPlan
from lamina.hidden.bert import BertPlan, bert_settings
from lamina.hidden.contract import HiddenLayer, HiddenPlan, JoiningPlan, State, Step
from lamina.hidden.convnet import ConvNetPlan
from lamina.hidden.critic import CriticPlan
from lamina.hidden.enlarger import EnlargerPlan
from lamina.hidden.fusion import FusionPlan
from lamina.hidden.generator import GeneratorPlan
from lamina.hidden.lenet import LeNetPlan
from lamina.hidden.mlp import MLPPlan
from lamina.hidden.pooling_first import pooling_first
from lamina.hidden.pretrained import Report, load_weights
from lamina.hidden.recurrent import RECURRENT
from lamina.hidden.residual import ResidualPlan
from lamina.hidden.resnet import RESNETS
from lamina.hidden.textconv import TextConvPlan
from lamina.hidden.transformer import TransformerPlan
from lamina.hidden.vgg import VGGS
from lamina.hidden.winograd import by_winograd, has_wide_filters

HIDDEN: dict[str, type[HiddenPlan]] = {
    "mlp": MLPPlan,
    "residual": ResidualPlan,
    "convnet": ConvNetPlan,
    "lenet": LeNetPlan,
    "alexnet": AlexNetPlan,
    **VGGS,
    **RESNETS,
    **RECURRENT,
    "textconv": TextConvPlan,
    "transformer": TransformerPlan,
    "bert": BertPlan,
    "fusion": FusionPlan,
    "apart": ApartPlan,
    "generator": GeneratorPlan,
    "critic": CriticPlan,
    "enlarger": EnlargerPlan,
}
"""Hidden layers by their name in a plan."""

__all__ = [
    "ACTIVATIONS",
    "HIDDEN",
    "INITIALISATIONS",
    "POOLINGS",
    "ActivationName",
    "Adapter",
    "ApartPlan",
    "BertPlan",
    "ConvNetPlan",
    "CriticPlan",
    "EnlargerPlan",
    "FusionPlan",
    "GeneratorPlan",
    "HiddenLayer",
    "HiddenPlan",
    "InitialisationName",
    "JoiningPlan",
    "MLPPlan",
    "PoolingName",
    "Report",
    "ResidualPlan",
    "State",
    "Step",
    "activation",
    "adapt",
    "bert_settings",
    "by_winograd",
    "has_wide_filters",
    "initialise",
    "load_weights",
    "pooling",
    "pooling_first",
]
