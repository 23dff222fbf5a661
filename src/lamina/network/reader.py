"""A network that reads a text on and on: what it has seen so far is a state, and each token costs the same."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from lamina.data import START, Vocabulary
from lamina.hidden import State, Step
from lamina.inputs import BeforeLayer
from lamina.network.ensemble import Ensemble
from lamina.network.network import Network
from lamina.network.pen import Pen, joint_pen, network_pen
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
        self._members = [_Member(each.eval()) for each in networks]  # type: ignore[arg-type]
        self._remembers = any(member.output.memory.is_used for member in self._members)
        self.output: NextLayer = self._members[0].output
        self.vocabulary: Vocabulary = self.output.vocabulary

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return next(self.output.parameters()).device

    @property
    def looks_back(self) -> int:
        """Tokens that are looked up among, at most; what is older counts through the state alone."""
        return self.output.memory.size if self._remembers else 0

    def read(self, numbers: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Tokens that follow those read before.

        Args:
            numbers: (batch, tokens); the first of all is `START`.
            state: what an earlier call gave; None at the beginning.

        Returns:
            (batch, tokens, vocabulary) log-probabilities of what follows each, and the state after the last.
        """
        return self._go_on(numbers, state)

    def follow(self, state: State, numbers: Tensor) -> tuple[Tensor, State]:
        """As `read`, of tokens that were not given but written: they will not be looked up."""
        return self._go_on(numbers, state, given=False)

    @torch.no_grad()
    def _go_on(self, numbers: Tensor, state: State | None, given: bool = True, asks: bool = True
               ) -> tuple[Tensor, State]:  # fmt: skip
        found: list[Tensor] = []
        states: list[Tensor] = []
        share = 0 if state is None else len(state) // len(self._members)
        for place, member in enumerate(self._members):
            before = None if state is None else state[place * share : (place + 1) * share]
            scores, after = (member.read_and_look_up(numbers, before, given, asks) if self._remembers
                             else member.read(numbers, before)[::2])  # fmt: skip
            found.append(scores)
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

    @torch.no_grad()
    def pen(self, state: State) -> Pen:
        """To write on after a state of one row: each call is a token that was written."""
        share = len(state) // len(self._members)
        parts = [state[share * place : share * (place + 1)] for place in range(len(self._members))]
        pens = [member.pen(part, self._remembers) for member, part in zip(self._members, parts, strict=True)]
        if None not in pens:
            return joint_pen(pens)  # type: ignore[arg-type]

        def step(token: int) -> np.ndarray:
            nonlocal state
            scores, state = self.follow(state, torch.tensor([[token]], device=self.device))
            return scores[0, -1].cpu().numpy()

        return step

    def costs(self, numbers: Tensor, early: int = 0) -> Iterator[Tensor]:
        """What each token of some texts costs: (batch, tokens) as `NextLayer.costs` counts it, a window at a time.

        Args:
            numbers: (batch, tokens), `START` where a text has ended.
            early: so many tokens are only there to be remembered: nothing need be looked up for them.
        """
        state: State | None = None
        numbers = numbers.to(self.device)
        before = _before(numbers)
        window = min(max(_SCORES // (len(numbers) * max(self.vocabulary.size, self.looks_back)), 1), WINDOW)
        for first in range(0, numbers.shape[1], window):
            scores, state = self._go_on(before[:, first : first + window], state, asks=first + window > early)
            yield self.output.costs(scores, numbers[:, first : first + window].long())

    @torch.no_grad()
    def learn_memory(self, numbers: Tensor) -> None:
        """Learn how much it helps to look up what was read, from (tokens,) of a text that no network learned from."""
        numbers = numbers.to(self.device).long()
        for member in self._members:
            state: State | None = None
            said, values = list[Tensor](), list[Tensor]()
            for before, window in zip(_before(numbers[None]).split(WINDOW, 1), numbers.split(WINDOW), strict=True):
                scores, places, state = member.read(before, state)
                said.append(scores[0].gather(1, window[:, None])[:, 0])
                values.append(places[0])
            member.output.memory.learn(torch.cat(said), torch.cat(values), numbers)
        self._remembers = any(member.output.memory.is_used for member in self._members)


class _Member:
    """One network of a reader."""

    def __init__(self, network: Network):
        (layer,), (output,) = network.inputs.values(), network.outputs.values()
        assert isinstance(layer, BeforeLayer)
        assert isinstance(output, NextLayer)
        self.layer, self.output, self.hidden = layer, output, network.hidden
        self._alone: Callable[[State], Step] | None = None

    def read(self, numbers: Tensor, state: State | None) -> tuple[Tensor, Tensor, State]:
        """Log-probabilities, what was made of each place, and the network's own state."""
        features, after = self.hidden.go_on(self.layer.look_up(numbers), state)  # type: ignore[operator]
        return self.output.scores(features.values).float().log_softmax(-1), features.values, after

    def pen(self, state: State, remembers: bool) -> Pen | None:
        """To write on after a state of one row; None where these layers have no such way, or lie elsewhere."""
        if self._alone is None and self.output.head.weight.device.type == "cpu":
            self._alone = self.hidden.alone()  # type: ignore[operator]
        if self._alone is None:
            return None
        own, kept = (state[:-2], (state[-2], state[-1])) if remembers else (state, None)
        recall = self.output.memory.recall_alone(kept) if kept else None
        return network_pen(self.layer, self._alone(own), self.output, recall)

    def read_and_look_up(self, numbers: Tensor, state: State | None, given: bool, asks: bool) -> tuple[Tensor, State]:
        """Log-probabilities, and a state whose last two tensors are what the memory keeps.

        Args:
            given: whether these tokens are kept.
            asks: whether anything is looked up for them.
        """
        memory = self.output.memory
        own, kept = (None, None) if state is None else (state[:-2], (state[-2], state[-1]))
        scores, values, after = self.read(numbers, own)
        if not asks:
            kept = memory.keep(values, numbers, kept)
        elif given or kept is None:
            scores, kept = memory(scores, values, numbers, kept)
        else:
            scores = memory.recall(scores, values, kept)
        return scores, (*after, *kept)


def _before(numbers: Tensor) -> Tensor:
    """(batch, tokens) the token before each."""
    return torch.cat([numbers.new_full((len(numbers), 1), START), numbers[:, :-1]], 1)
