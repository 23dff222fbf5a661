"""Which objective teaches a plan's network."""

from collections.abc import Mapping
from typing import cast

from torch import nn

from lamina.data import Facts
from lamina.ground import PlanError
from lamina.network import Layer, Network, Plan, build_critic, build_perception
from lamina.objectives import Adversarial, Objective, Realism, Supervised


def objective_of(plan: Plan, facts: Mapping[str, Facts], network: nn.Module) -> Objective:
    """The objective of a plan, with players beside the network where it has some; they lie where the network does.

    Raises:
        PlanError, ShapeError: if a player cannot be built.
    """
    if plan.training.objective == "supervised":
        if plan.players:
            raise PlanError(
                f"players: {', '.join(plan.players)} would learn nothing under training.objective: supervised."
            )
        return Supervised(network, plan.training.seed)
    maker, device = cast(Network, network), next(network.parameters()).device
    critic, _ = build_critic(plan, maker)
    critic = critic.to(device)
    if all(part.kind != "noise" for part in plan.inputs.values()):
        found = build_perception(plan, maker)
        perception = found and found[0].to(device)
        return Realism(maker, critic, perception, plan.adversarial, plan.training.seed)
    (output,) = plan.outputs
    asked = tuple(name for name, part in plan.inputs.items() if part.kind != "noise")
    rows = int(facts[f"outputs.{output}"]["rows"])  # type: ignore[call-overload]
    return Adversarial(maker, critic, plan.adversarial, asked, rows, plan.training.seed)


def layers_beside(plan: Plan, network: Network) -> list[Layer]:
    """A line for each player beside the network, for the table of layers."""
    if plan.training.objective != "adversarial":
        return []
    found = (build_critic(plan, network), build_perception(plan, network))
    return [each[1] for each in found if each is not None]
