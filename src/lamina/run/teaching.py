"""Which objective teaches a plan's network."""

from collections.abc import Mapping
from typing import cast

from torch import nn

from lamina.data import Facts
from lamina.ground import PlanError
from lamina.network import Layer, Network, Plan, build_critic
from lamina.objectives import Adversarial, Objective, Supervised


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
    maker = cast(Network, network)
    critic, _ = build_critic(plan, maker)
    (output,) = plan.outputs
    asked = tuple(name for name, part in plan.inputs.items() if part.kind != "noise")
    rows = int(facts[f"outputs.{output}"]["rows"])  # type: ignore[call-overload]
    critic = critic.to(next(network.parameters()).device)
    return Adversarial(maker, critic, plan.adversarial, asked, rows, plan.training.seed)


def layers_beside(plan: Plan, network: Network) -> list[Layer]:
    """A line for each player beside the network, for the table of layers."""
    return [build_critic(plan, network)[1]] if plan.training.objective == "adversarial" else []
