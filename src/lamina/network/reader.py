"""A network that reads a text on and on: what it has seen so far is a state, and each token costs the same."""

from collections.abc import Iterator

import torch
from torch import Tensor

from lamina.data import START, Vocabulary
from lamina.hidden import State
from lamina.inputs import BeforeLayer
from lamina.network.ensemble import Ensemble
from lamina.network.network import Network
from lamina.outputs import NextLayer

WINDOW = 256
"""Tokens that are read at a time where a long text is at hand."""
_SCORES = 1 << 24
"""Scores that are held at a time."""


class Reader:
    """The parts of a network that foresees a text, to be read with step by step."""

    def __init__(self, network: Network | Ensemble):
        """A network in evaluation mode, or several that answer together: the mean of their probabilities counts."""
        networks = [network] if isinstance(network, Network) else list(network.networks)
        self._networks: list[Network] = [each.eval() for each in networks]  # type: ignore[misc]
        (output,) = self._networks[0].outputs.values()
        assert isinstance(output, NextLayer)
        self.output: NextLayer = output
        self.vocabulary: Vocabulary = self.output.vocabulary

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return next(self.output.parameters()).device

    @torch.no_grad()
    def read(self, numbers: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Tokens that follow those read before.

        Args:
            numbers: (batch, tokens); the first of all is `START`.
            state: what an earlier call gave; None at the beginning.

        Returns:
            (batch, tokens, vocabulary) log-probabilities of what follows each, and the state after the last.
        """
        found: list[Tensor] = []
        states: list[Tensor] = []
        share = 0 if state is None else len(state) // len(self._networks)
        for place, network in enumerate(self._networks):
            (layer,) = network.inputs.values()
            assert isinstance(layer, BeforeLayer)
            before = None if state is None else state[place * share : (place + 1) * share]
            features, after = network.hidden.go_on(layer.look_up(numbers), before)  # type: ignore[operator]
            (output,) = network.outputs.values()
            found.append(output.scores(features.values).float().log_softmax(-1))  # type: ignore[operator]
            states += after
        joint = found[0] if len(found) == 1 else torch.stack(found).logsumexp(0) - torch.tensor(len(found)).log()
        return joint, tuple(states)

    def start(self, numbers: Tensor) -> tuple[Tensor, State]:
        """Read a beginning, (batch, tokens), from `START` on: log-probabilities after its last token, and the state."""
        numbers = torch.cat([numbers.new_full((len(numbers), 1), START), numbers], 1)
        state: State | None = None
        for first in range(0, numbers.shape[1], WINDOW):
            scores, state = self.read(numbers[:, first : first + WINDOW], state)
        assert state is not None
        return scores[:, -1], state

    def step(self, state: State, last: Tensor) -> tuple[Tensor, State]:
        """One token more, (batch,): log-probabilities of what follows, (batch, vocabulary), and the state."""
        scores, state = self.read(last[:, None], state)
        return scores[:, -1], state

    def costs(self, numbers: Tensor) -> Iterator[Tensor]:
        """What each token of some texts costs: (batch, tokens) as `NextLayer.costs` counts it, a window at a time.

        Args:
            numbers: (batch, tokens), `START` where a text has ended.
        """
        state: State | None = None
        numbers = numbers.to(self.device)
        before = torch.cat([numbers.new_full((len(numbers), 1), START), numbers[:, :-1]], 1)
        window = min(max(_SCORES // (len(numbers) * self.vocabulary.size), 1), WINDOW)
        for first in range(0, numbers.shape[1], window):
            scores, state = self.read(before[:, first : first + window], state)
            yield self.output.costs(scores, numbers[:, first : first + window].long())
