"""What a training would be: the plan, the layers, time and memory, before anything is spent."""

from dataclasses import dataclass

import numpy as np

from lamina.api.choice import OtherPlan
from lamina.data import Split
from lamina.ground import pick_device
from lamina.hidden import HiddenLayer
from lamina.network import Layer, Plan, build_network
from lamina.run import Prepared, Study, fit_parts, layers_beside, objective_of, one_batch, prepare_parts
from lamina.search import FOLDS
from lamina.training import choose_way, make_update

_LOOKED_AT = 2_000
"""Training rows that the outlook fits parts on: enough for the shapes of layers, and quick."""


@dataclass(frozen=True)
class Outlook:
    """A plan with what it would cost."""

    plan: Plan
    layers: list[Layer]
    step_seconds: float
    seconds: float
    """The loop's time, at most; data, baselines and judging come on top within `--time`."""
    memory_bytes: int
    other: OtherPlan | None = None
    """What would be tried beside it; its time and memory are not counted."""

    @property
    def yaml(self) -> str:
        """The plan with its reasons."""
        return self.plan.to_yaml()

    def lines(self) -> list[tuple[str, str]]:
        """Layers, time and memory as labelled texts."""
        width = max(len(layer.path) for layer in self.layers)
        total = sum(layer.parameters for layer in self.layers)
        rows = [
            f"{layer.path:<{width}}  {layer.what:<12} {layer.gives:<20} {layer.parameters:>12,}"
            for layer in self.layers
        ]
        time = f"a step takes about {1000 * self.step_seconds:,.0f} ms; training about {self.seconds:,.0f} s at most"
        return [
            ("layers", "\n".join(rows)),
            ("", f"{total:,} parameters in all"),
            ("time", time),
            ("memory", f"about {self.memory_bytes / 2**30:.1f} GiB"),
            *self._other_lines(),
        ]

    def _other_lines(self) -> list[tuple[str, str]]:
        if self.other is None:
            return []
        how = "without" if self.other.is_plainer else "with"
        return [("beside", f"networks {how} {self.other.what} are tried too, which takes more: held-out rows decide")]


def outlook(
    seen: Study, plan: Plan, seconds: float | None, hidden: HiddenLayer | None, other: OtherPlan | None = None
) -> Outlook:
    """Build the network on a part of the training rows and time a few steps."""
    settings = plan.training
    rows = seen.split.train
    some = np.sort(np.random.default_rng(settings.seed).permutation(rows)[:_LOOKED_AT])
    facts = fit_parts(plan, seen.table, some)
    network, layers, _ = build_network(plan, facts, hidden)
    layers = [*layers, *layers_beside(plan, network)]
    few = seen.table.take(some[: settings.batch_size])
    blocks = prepare_parts(plan, facts, few)
    every = np.arange(len(few))
    split = Split(every, every[:0], every[:0], "given", "a look ahead")
    batch = one_batch(Prepared(plan, few, seen.columns, split, facts, blocks, {}), every)
    choice = choose_way(network, lambda copied: make_update(copied, settings, 1e-4), batch,
                        pick_device(settings.device), settings.precision,
                        lambda copied: objective_of(plan, facts, copied))  # fmt: skip
    steps_an_epoch = -(-seen.learned // settings.batch_size)
    wanted = min((limit for limit in (settings.steps, (settings.epochs or 0) * steps_an_epoch) if limit), default=None)
    trainings = settings.ensemble * (1 + FOLDS if seen.by_folds and hidden is None else 1)
    by_plan = float("inf") if wanted is None else wanted * choice.step_seconds * trainings
    expected = min(by_plan, seconds if seconds is not None else by_plan)
    weights = sum(parameter.numel() for parameter in network.parameters()) * 4
    return Outlook(plan, layers, choice.step_seconds, expected, _BASE_MEMORY + 6 * weights, other)


_BASE_MEMORY = 450 * 2**20
"""What Python, torch and the libraries take before any data (measured)."""
