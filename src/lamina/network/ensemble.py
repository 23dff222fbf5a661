"""Several networks of one plan that answer together."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from lamina.data import Values
from lamina.network.network import Network
from lamina.outputs import OutputLayer


class Ensemble(nn.Module):
    """Networks that share inputs' facts but not weights; their raw scores stand side by side as members.

    An output decodes members to one answer already, so nothing else needs to know that there are several networks.
    """

    def __init__(self, networks: Sequence[Network]):
        """At least one network; the first one's outputs decode, and hold what calibration found."""
        super().__init__()
        self.networks = nn.ModuleList(networks)

    @property
    def outputs(self) -> Mapping[str, OutputLayer]:
        """The output layers that decode the joint raw scores."""
        first = self.networks[0]
        assert isinstance(first, Network)
        return first.outputs

    @property
    def judged_by_targets(self) -> bool:
        """Whether raw scores for judging are made with the targets."""
        return any(output.judged_by_targets for output in self.outputs.values())

    @property
    def reads_on(self) -> bool:
        """Whether rows go on where others ended."""
        return bool(self.networks[0].reads_on)

    @property
    def sequences(self) -> frozenset[str]:
        """The inputs whose rows are padded up to the longest beside them."""
        first = self.networks[0]
        assert isinstance(first, Network)
        return first.sequences

    def forward(self, inputs: Mapping[str, Values], targets: Mapping[str, Values] | None = None) -> dict[str, Tensor]:
        """Raw scores by output name: (batch, all networks' members, ...)."""
        found = [network(inputs, targets) for network in self.networks]
        return {name: torch.cat([raw[name] for raw in found], dim=1) for name in found[0]}
