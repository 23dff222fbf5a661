"""From a plan to one `torch.nn.Module`: choosing, reading, building, and the batches it takes."""

from lamina.network.build import Built, Layer, build_network
from lamina.network.choose import choose_plan
from lamina.network.choose_enlarging import enlarging
from lamina.network.choose_making import making
from lamina.network.choose_predicting import picture_side, predicting
from lamina.network.choose_rows import making_rows
from lamina.network.collate import Collate, pick, row_lengths, slice_batch, split_batch, to_values
from lamina.network.critic import Critic, Perception, build_critic, build_perception
from lamina.network.ensemble import Ensemble
from lamina.network.network import Network
from lamina.network.pen import on_one_thread
from lamina.network.plan import (
    AdversarialPlan,
    Plan,
    Size,
    TrainingPlan,
    plan_from_plain,
    predicted,
    read_value,
    read_yaml,
    task_of,
)
from lamina.network.reader import Reader
from lamina.network.scene import Parts, Scene, part_name

__all__ = [
    "AdversarialPlan",
    "Built",
    "Collate",
    "Critic",
    "Ensemble",
    "Layer",
    "Network",
    "Parts",
    "Perception",
    "Plan",
    "Reader",
    "Scene",
    "Size",
    "TrainingPlan",
    "build_critic",
    "build_network",
    "build_perception",
    "choose_plan",
    "enlarging",
    "making",
    "making_rows",
    "on_one_thread",
    "part_name",
    "pick",
    "picture_side",
    "plan_from_plain",
    "predicted",
    "predicting",
    "read_value",
    "read_yaml",
    "row_lengths",
    "slice_batch",
    "split_batch",
    "task_of",
    "to_values",
]
