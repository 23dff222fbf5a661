"""Input layers -> trunks -> hidden layers -> output layers, as one ordinary `torch.nn.Module`."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from lamina.data import Batch, Values
from lamina.ground import Features, Geometry, vector
from lamina.hidden import HiddenLayer
from lamina.inputs import InputLayer
from lamina.losses import Loss
from lamina.outputs import NextLayer, OutputLayer


class Network(nn.Module):
    """Everything from prepared arrays to raw scores."""

    def __init__(self, inputs: Mapping[str, InputLayer], trunks: Mapping[str, nn.Module], routes: Mapping[str, str],
                 joins: Mapping[str, nn.Module], hidden: HiddenLayer | nn.Module, outputs: Mapping[str, OutputLayer],
                 sources: Mapping[str, str], weights: Mapping[str, float], leads: Mapping[str, nn.Module]):  # fmt: skip
        """Put the parts together; `network/build` works out what goes where.

        Args:
            inputs: the input layers by name.
            trunks: hidden layers that inputs pass before they are joined, by name.
            routes: input name -> trunk name, for the inputs that pass one.
            joins: input name -> adapter between the input (or its trunk) and the hidden layers.
            hidden: takes the features of a single input, of several joined to one vector, or all (fusion).
            outputs: the output layers by name.
            sources: output name -> `hidden`, or the input or trunk that it reads.
            weights: output name -> how much its loss counts.
            leads: output name -> adapter between its source and the output.
        """
        super().__init__()
        # Module dicts, called by what they hold: torch itself only says that modules are in them.
        self.inputs: Mapping[str, InputLayer] = nn.ModuleDict(inputs)  # type: ignore[assignment]
        self.trunks: Mapping[str, nn.Module] = nn.ModuleDict(trunks)  # type: ignore[assignment]
        self.joins: Mapping[str, nn.Module] = nn.ModuleDict(joins)  # type: ignore[assignment]
        self.leads: Mapping[str, nn.Module] = nn.ModuleDict(leads)  # type: ignore[assignment]
        self.outputs: Mapping[str, OutputLayer] = nn.ModuleDict(outputs)  # type: ignore[assignment]
        self.hidden = hidden
        self.looks_twice = False
        """Whether answers average the views of inputs; only once training is over: judging would take too long."""
        self._routes, self._sources, self._weights = dict(routes), dict(sources), dict(weights)

    @property
    def judged_by_targets(self) -> bool:
        """Whether raw scores for judging are made with the targets."""
        return any(output.judged_by_targets for output in self.outputs.values())

    @property
    def reads_on(self) -> bool:
        """Whether rows go on where others ended: a text that is read from its beginning to its end."""
        return any(isinstance(output, NextLayer) for output in self.outputs.values())

    @property
    def sequences(self) -> frozenset[str]:
        """The inputs that give tokens: their rows are padded up to the longest beside them."""
        return frozenset(name for name, layer in self.inputs.items() if layer.shape.form == "tokens")

    def features(self, inputs: Mapping[str, Values]) -> dict[str, Features]:
        """Features by name: of every input (after its trunk), every trunk, and the hidden layers under `hidden`."""
        found: dict[str, Features] = {}
        for name, layer in self.inputs.items():
            features = layer(inputs[name])
            found[name] = self.trunks[self._routes[name]](features) if name in self._routes else features
        for name, trunk in self._routes.items():
            found.setdefault(trunk, found[name])  # what an output means that reads a trunk; see `network/build`
        ready = {name: self.joins[name](found[name]) if name in self.joins else found[name] for name in self.inputs}
        by_name = getattr(self.hidden, "takes_many", False)
        found["hidden"] = self.hidden(ready if by_name else _joined(list(ready.values())))
        return found

    def forward(self, inputs: Mapping[str, Values], targets: Mapping[str, Values] | None = None) -> dict[str, Tensor]:
        """Raw scores by output name.

        Args:
            inputs: prepared values by input name.
            targets: prepared targets by output name, for outputs that are fed their own targets in training.
        """
        if self.training or not self.looks_twice:
            return self._once(inputs, targets)
        found = [self._once(view, targets) for view in self._views(inputs)]
        return (
            found[0] if len(found) == 1 else {name: torch.cat([raw[name] for raw in found], dim=1) for name in found[0]}
        )

    def _views(self, inputs: Mapping[str, Values]) -> list[dict[str, Values]]:
        """The rows as each input looks at them; inputs with fewer looks repeat their first."""
        views = {name: self.inputs[name].views(inputs[name]) for name in self.inputs}
        count = max(len(looks) for looks in views.values())
        return [{name: looks[min(at, len(looks) - 1) if len(looks) == count else 0] for name, looks in views.items()}
                for at in range(count)]  # fmt: skip

    def _once(self, inputs: Mapping[str, Values], targets: Mapping[str, Values] | None) -> dict[str, Tensor]:
        found = self.features(inputs)
        raw = {}
        for name, output in self.outputs.items():
            features = found[self._sources[name]]
            if name in self.leads:
                features = self.leads[name](features)
            raw[name] = output(features, None if targets is None else targets[name])
        return raw

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The batch with inputs varied, and targets that follow; for training only."""
        inputs: dict[str, Values] = {}
        geometry: dict[str, Tensor] = {}
        for name, layer in self.inputs.items():
            inputs[name], moved = layer.augment(batch.inputs[name], generator, batch.place)
            geometry.update(moved)
        batch = batch.with_inputs(inputs)
        return self._follow(batch, geometry) if geometry else batch

    def _follow(self, batch: Batch, geometry: Geometry) -> Batch:
        targets = {name: output.follow(batch.targets[name], geometry) for name, output in self.outputs.items()}
        return batch.with_targets(targets)

    def loss(self, raw: Mapping[str, Tensor], batch: Batch) -> Loss:
        """The outputs' losses, joined by their weights; several are joined as means over one count."""
        losses = {
            name: output.loss(raw[name], batch.targets[name], batch.weight) for name, output in self.outputs.items()
        }
        if len(losses) == 1:
            ((name, loss),) = losses.items()
            return Loss(loss.total * self._weights[name], loss.count) if self._weights[name] != 1 else loss
        # Each output counts by its own mean; the rows, or their weights, are what parts and processes add up.
        rows = float(len(batch)) if batch.weight is None else batch.weight.sum()
        total = sum(_joint(loss, rows) * self._weights[name] for name, loss in losses.items())
        assert isinstance(total, Tensor)
        return Loss(total, rows)


def _joint(loss: Loss, rows: Tensor | float) -> Tensor:
    """The mean of an output times the rows: its total, where it counts rows. Rows without weight have no mean."""
    count = loss.count.clamp_min(1e-12) if isinstance(loss.count, Tensor) else loss.count
    return loss.total * (rows / count)


def _joined(features: Sequence[Features]) -> Features:
    """Several vectors end to end; a vector of a single network is shared by all members of another's."""
    if len(features) == 1:
        return features[0]
    values = [each.values for each in features]
    members = max((value.shape[1] for value in values if value.dim() == 3), default=0)
    if members:
        values = [value if value.dim() == 3 else value[:, None].expand(-1, members, -1) for value in values]
    return vector(torch.cat(values, dim=-1))
