"""Plan and facts -> network: builds every part for the shapes that reach it and inserts the adapters between."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from lamina.data import Facts
from lamina.ground import PlanError, Shape, ShapeError, listing
from lamina.hidden import HiddenLayer, HiddenPlan, JoiningPlan, adapt
from lamina.inputs import InputLayer
from lamina.network.network import Network
from lamina.network.plan import Plan
from lamina.outputs import OutputLayer

_TOO_LARGE = re.compile("(?i)overflow|allocate memory|not enough memory|out of memory")


@dataclass(frozen=True)
class Layer:
    """One line of the table of layers that `plan` prints."""

    path: str
    """Where it sits: `inputs.numbers`, `hidden`."""
    what: str
    """The part's name or kind."""
    gives: str
    """The shape of its features."""
    parameters: int


class Built(NamedTuple):
    """A network, and what is to be said of it."""

    network: Network
    layers: list[Layer]
    notes: list[str]
    """What became of weights that were loaded."""


def build_network(plan: Plan, facts: Mapping[str, Facts], hidden: HiddenLayer | None = None) -> Built:
    """The network of a plan, with random weights that depend on the plan's seed alone.

    Args:
        plan: all parts and sizes.
        facts: what parts learned, by `inputs.NAME` and `outputs.NAME`.
        hidden: a module of one's own in place of the plan's hidden layers; it keeps the contract of `HiddenLayer`.

    Raises:
        ShapeError, PlanError: if a part cannot take what reaches it; the message names the part.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.training.seed)
        try:
            return _Builder(plan, facts).build(hidden)
        except (RuntimeError, TypeError) as error:  # as PyTorch says that a size is beyond its numbers or the memory
            if not _TOO_LARGE.search(str(error)):
                raise
            raise PlanError(
                "The network of this plan is larger than the memory. Take smaller layers: --set hidden.width=128, or "
                "size=small."
            ) from error


class _Builder:
    def __init__(self, plan: Plan, facts: Mapping[str, Facts]):
        self.plan, self.facts = plan, facts
        self.layers: list[Layer] = []
        self.notes: list[str] = []

    def build(self, own: HiddenLayer | None) -> Built:
        plan = self.plan
        inputs = {name: part.build(self.facts[f"inputs.{name}"]) for name, part in plan.inputs.items()}
        for name, layer in inputs.items():
            self._note(f"inputs.{name}", plan.inputs[name].kind, layer.shape, layer)
            if layer.note:
                self.notes.append(f"inputs.{name} {layer.note}")
        trunks, routes, shapes = self._trunks({name: layer.shape for name, layer in inputs.items()})
        reached = dict(shapes)
        joins, shapes = self._joins(shapes, own)
        layers = own if own is not None else self._hidden(shapes)
        self._check_looks_back(layers, joins)
        if own is not None:
            self._note("hidden", type(own).__name__, own.shape, own)
        reached["hidden"] = layers.shape
        reached = {trunk: reached[name] for name, trunk in routes.items()} | reached
        outputs, leads = self._outputs(reached, routes)
        for where, part in ((None, layers), *trunks.items()):
            self._pretrained(part, [layer for name, layer in inputs.items() if routes.get(name) == where], outputs)
        network = Network(
            inputs, trunks, routes, joins, layers, outputs,
            sources={name: part.from_ for name, part in plan.outputs.items()},
            weights={name: part.weight for name, part in plan.outputs.items()},
            leads=leads,
        )  # fmt: skip
        return Built(network, self.layers, self.notes)

    def _check_looks_back(self, layers: HiddenLayer, joins: Mapping[str, nn.Module]) -> None:
        """Refuse what would let an output see the answer: what comes next is learned from what came before alone."""
        plan = self.plan
        written = next((name for name, part in plan.outputs.items() if part.kind == "text"), None)
        if written is not None and (len(plan.outputs) > 1 or plan.training.ensemble > 1):
            raise PlanError(f"outputs.{written}: an answer in words is the only one of its network, and of a single "
                            "network: --set training.ensemble=1.")  # fmt: skip
        name = next((name for name, part in plan.outputs.items() if part.looks_back), None)
        if name is None:
            return
        inputs = [part.kind for part in plan.inputs.values()]
        columns = {column for part in plan.inputs.values() for column in part.columns}
        if inputs != ["before"] or columns != {plan.outputs[name].column} or len(plan.outputs) > 1 or plan.trunks:
            raise PlanError(
                f"outputs.{name}: {plan.outputs[name].kind} needs a single input of kind `before` of the same column, "
                "no trunk and no other output."
            )
        (source,) = plan.inputs.values()
        for setting in ("unit", "most"):
            mine, theirs = getattr(source, setting), getattr(plan.outputs[name], setting)
            if mine != theirs:
                raise PlanError(f"outputs.{name}.{setting} is {theirs!r}, but that of its input is {mine!r}: make them "
                                "the same.")  # fmt: skip
        if not layers.causal or joins:
            raise PlanError(
                f"outputs.{name}: {plan.outputs[name].kind} needs hidden layers that do not look ahead: lstm, gru or "
                "rnn with hidden.both_ways=false, or transformer with hidden.causal=true."
            )

    def _pretrained(self, part: nn.Module, inputs: Sequence[InputLayer], outputs: Mapping[str, OutputLayer]) -> None:
        """Say what became of loaded weights; their ends become those of inputs and outputs beside them.

        Args:
            part: the layers that were filled, or not.
            inputs: what reaches them, which takes vectors of tokens.
            outputs: which take the last layer where the classes agree in number.
        """
        report = getattr(part, "pretrained", None)
        if report is None:
            return
        self.notes.append(str(report))
        if report.vectors is not None:
            taken = [layer.take_vectors(report.vectors, learns=not getattr(part, "frozen", 0)) for layer in inputs]
            if not all(taken):
                raise PlanError(
                    f"The weights of {report.source} were learned with tokens of their own. Read texts by them: --set "
                    f"inputs.NAME.kind=tokens --set inputs.NAME.vocabulary={Path(report.source).parent}"
                )
        for name, output in outputs.items():
            if report.head and output.take_head(report.head):
                self.notes.append(f"  the last layer of the file became outputs.{name}")

    def _note(self, path: str, what: str, shape: Shape | str, module: nn.Module | None) -> None:
        count = sum(parameter.numel() for parameter in module.parameters()) if module is not None else 0
        self.layers.append(Layer(path, what, str(shape), count))

    def _trunks(self, shapes: Mapping[str, Shape]) -> tuple[dict[str, HiddenLayer], dict[str, str], dict[str, Shape]]:
        trunks: dict[str, HiddenLayer] = {}
        built_for: dict[str, Shape] = {}
        routes, after = {}, dict(shapes)
        for name, part in self.plan.inputs.items():
            if part.trunk is None:
                continue
            if part.trunk not in self.plan.trunks:
                raise PlanError(
                    f"inputs.{name}.trunk: there is no trunk {part.trunk!r}. Known: {listing(self.plan.trunks)}."
                )
            if part.trunk not in trunks:
                trunks[part.trunk] = _built(self.plan.trunks[part.trunk], shapes[name], f"trunks.{part.trunk}")
                built_for[part.trunk] = shapes[name]
                self._note(f"trunks.{part.trunk}", self.plan.trunks[part.trunk].name, trunks[part.trunk].shape,
                           trunks[part.trunk])  # fmt: skip
            elif shapes[name] != built_for[part.trunk]:
                raise ShapeError(
                    f"inputs.{name} gives {shapes[name]}, but trunk {part.trunk!r}, which it shares, was built for "
                    f"{built_for[part.trunk]}. Give the inputs the same side, or a trunk of its own."
                )
            routes[name], after[name] = part.trunk, trunks[part.trunk].shape
        return trunks, routes, after

    def _joins(
        self, shapes: Mapping[str, Shape], own: HiddenLayer | None
    ) -> tuple[dict[str, nn.Module], dict[str, Shape]]:
        """Adapters in front of the hidden layers, and the shapes after them."""
        alone = len(shapes) == 1
        accepts = self.plan.hidden.accepts if alone and own is None else ("vector",)
        if own is not None and alone:
            return {}, dict(shapes)
        joins: dict[str, nn.Module] = {}
        after: dict[str, Shape] = {}
        for name, shape in shapes.items():
            adapter, after[name] = adapt(shape, accepts)
            if adapter is not None:
                joins[name] = adapter
                self._note(f"inputs.{name} -> hidden", adapter.describe(), after[name], adapter)
        return joins, after

    def _hidden(self, shapes: Mapping[str, Shape]) -> HiddenLayer:
        plan = self.plan.hidden
        layers: HiddenLayer
        if isinstance(plan, JoiningPlan):
            layers = plan.build_many(shapes)
        elif len(shapes) == 1:
            layers = _built(plan, next(iter(shapes.values())), "hidden")
        else:
            members = max((shape.members or 0 for shape in shapes.values()), default=0) or None
            joined = Shape("vector", sum(shape.width for shape in shapes.values()), members=members)
            layers = _built(plan, joined, "hidden")
        self._note("hidden", plan.name, layers.shape, layers)
        return layers

    def _outputs(
        self, reached: Mapping[str, Shape], routes: Mapping[str, str]
    ) -> tuple[dict[str, OutputLayer], dict[str, nn.Module]]:
        outputs: dict[str, OutputLayer] = {}
        leads: dict[str, nn.Module] = {}
        for name, part in self.plan.outputs.items():
            if part.from_ not in reached:
                raise PlanError(
                    f"outputs.{name}.from: there are no features {part.from_!r}. Known: {listing(reached)}."
                )
            through = [
                each for each, trunk in routes.items() if trunk == part.from_ and part.from_ not in self.plan.inputs
            ]
            if len(through) > 1:
                raise PlanError(
                    f"outputs.{name}.from: several inputs pass trunk {part.from_!r}. Say which: {listing(through)}."
                )
            adapter, shape = adapt(reached[part.from_], part.accepts)
            if adapter is not None:
                leads[name] = adapter
                self._note(f"{part.from_} -> outputs.{name}", adapter.describe(), shape, adapter)
            outputs[name] = part.build(self.facts[f"outputs.{name}"], shape)
            self._note(f"outputs.{name}", part.kind, "answer", outputs[name])
        return outputs, leads


def _built(plan: HiddenPlan, shape: Shape, where: str) -> HiddenLayer:
    if shape.form not in plan.accepts:
        raise ShapeError(
            f"{where}: {plan.name} takes a {' or '.join(plan.accepts)}, but a {shape.form} of {shape} reaches it. "
            "Choose other hidden layers."
        )
    try:
        return plan.build(shape)
    except ShapeError as error:
        raise ShapeError(f"{where}: {error}") from error
