"""Gradients that are written out are those of PyTorch's graph, bit for bit, and only where they can be."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.data import Batch
from lamina.losses import LossFunction
from lamina.network import TrainingPlan, split_batch
from lamina.objectives import Whole
from lamina.objectives.written_out import WrittenOut
from lamina.training import make_update
from lamina.training.update import take_step

ROWS = 37
STACKS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3)),
    "tanh, no biases": lambda: nn.Sequential(nn.Linear(5, 9, bias=False), nn.Tanh(), nn.Linear(9, 3, bias=False)),
    "sigmoid at the end": lambda: nn.Sequential(nn.Linear(5, 8), nn.Linear(8, 3), nn.Sigmoid()),
    "in place": lambda: nn.Sequential(nn.Linear(5, 8), nn.ReLU(inplace=True), nn.Linear(8, 3)),
    "one activation twice": lambda: (lambda bend: nn.Sequential(nn.Linear(5, 8), bend, nn.Linear(8, 3), bend))(
        nn.Tanh()
    ),
    "one layer": lambda: nn.Sequential(nn.Linear(5, 3)),
}
CLASSES = torch.randint(0, 3, (ROWS,), generator=torch.Generator().manual_seed(1))
NUMBERS = torch.rand(ROWS, 3, generator=torch.Generator().manual_seed(2))
LOSSES: dict[str, tuple[LossFunction, Tensor]] = {
    "cross entropy": (functional.cross_entropy, CLASSES),
    "rows that do not count": (functional.cross_entropy, CLASSES.where(CLASSES > 0, -100)),
    "shares of classes": (functional.cross_entropy, NUMBERS / NUMBERS.sum(1, keepdim=True)),
    "squares": (functional.mse_loss, NUMBERS),
    "one's own": (lambda answers, targets: (answers - targets).abs().pow(1.5).mean(), NUMBERS),
}


def batch(targets: Tensor, width: int = 5) -> Batch:
    inputs = torch.randn(ROWS, width, generator=torch.Generator().manual_seed(0))
    return Batch({"x": inputs}, {"y": targets}, torch.arange(ROWS))


def made(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(3)
    return make()


class Wrapped(nn.Module):
    """Hides what a network consists of: PyTorch's graph it is then."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, inputs: Tensor) -> Tensor:
        return self.inner(inputs)


def learned(network: nn.Module, loss: LossFunction, given: list[Batch], alone: bool = True) -> list[Tensor]:
    """Losses of some steps, and the weights after them."""
    objective = Whole(network, loss, alone)
    updates = {"network": make_update(network, TrainingPlan(optimizer="momentum", clip=1.0), 0.1)}
    losses = [take_step(objective, given, updates)["network"] for _ in range(5)]
    return [*losses, *(parameter.detach() for parameter in network.parameters())]


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("loss", LOSSES)
def test_steps_are_those_of_the_graph_bit_for_bit(stack: str, loss: str, steps_by_hand: list[int]) -> None:
    function, targets = LOSSES[loss]
    one = learned(made(STACKS[stack]), function, [batch(targets)])
    assert sum(steps_by_hand) == 5, "this network should have been written out"
    other = learned(Wrapped(made(STACKS[stack])), function, [batch(targets)])
    assert sum(steps_by_hand) == 5, "this one should not"
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))
    assert not torch.equal(one[0], one[4])


def test_a_loss_may_hold_weights_and_change_what_it_is_given(steps_by_hand: list[int]) -> None:
    def penalised(network: nn.Module) -> LossFunction:
        weights = list(network.parameters())
        return lambda answers, targets: answers.sub_(targets).square().mean() + 0.1 * weights[0].abs().sum()

    ends = []
    for hide in (lambda network: network, Wrapped):
        network = hide(made(STACKS["relu"]))
        ends.append(learned(network, penalised(network), [batch(NUMBERS)]))
    assert sum(steps_by_hand) == 5
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(*ends, strict=True))
    (first, *_), (other, *_) = ends[0], learned(made(STACKS["relu"]), functional.mse_loss, [batch(NUMBERS)])
    assert first > other, "the penalty counts"


def watched() -> nn.Module:
    network = STACKS["relu"]()
    next(network.parameters()).register_post_accumulate_grad_hook(lambda parameter: None)
    return network


def hooked() -> nn.Module:
    network = STACKS["relu"]()
    network[1].register_forward_hook(lambda *_: None)  # type: ignore[index, operator]
    return network


def shared() -> nn.Module:
    network = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 5), nn.Linear(5, 3))
    network[2].weight = network[0].weight
    return network


def frozen() -> nn.Module:
    network = STACKS["relu"]()
    next(network.parameters()).requires_grad_(False)
    return network


def replaced() -> nn.Module:
    network = STACKS["relu"]()
    network[1].forward = functional.gelu  # type: ignore[index, union-attr, assignment]
    return network


class Own(nn.Linear):
    """May compute anything."""


OTHERS: dict[str, Callable[[], nn.Module]] = {
    "dropout": lambda: nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3)),
    "norm": lambda: nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)),
    "two activations": lambda: nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Tanh()),
    "an activation first": lambda: nn.Sequential(nn.ReLU(), nn.Linear(5, 3)),
    "one layer twice": lambda: (lambda layer: nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(5, 3)))(nn.Linear(5, 5)),
    "its own class": lambda: nn.Sequential(Own(5, 3)),
    "hooked": hooked, "watched": watched, "shared": shared, "frozen": frozen, "replaced": replaced,
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_more_than_a_plain_sequence_is_left_to_the_graph(kind: str, steps_by_hand: list[int]) -> None:
    losses = learned(made(OTHERS[kind]), functional.cross_entropy, [batch(CLASSES)])
    assert sum(steps_by_hand) == 0
    assert losses[4] < losses[0]


def test_a_batch_in_parts_and_several_processes_are_left_to_the_graph(steps_by_hand: list[int]) -> None:
    whole = learned(made(STACKS["relu"]), functional.cross_entropy, [batch(CLASSES)])
    assert sum(steps_by_hand) == 5
    parts = learned(made(STACKS["relu"]), functional.cross_entropy, split_batch(batch(CLASSES), 3))
    together = learned(made(STACKS["relu"]), functional.cross_entropy, [batch(CLASSES)], alone=False)
    assert sum(steps_by_hand) == 5
    for one, other, third in zip(whole, parts, together, strict=True):
        torch.testing.assert_close(one, other)
        assert torch.equal(one, third)


def test_rows_that_are_no_plain_float32_are_left_to_the_graph(steps_by_hand: list[int]) -> None:
    rows = torch.randn(8, 4, 5)
    objective = Whole(made(STACKS["one layer"]), lambda answers, _: answers.square().mean())
    ((_, loss),) = objective.turns(Batch({"x": rows}, {"y": torch.zeros(8)}, torch.arange(8)))
    assert loss.mean().requires_grad and not sum(steps_by_hand)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ((_, loss),) = objective.turns(Batch({"x": rows[:, 0]}, {"y": torch.zeros(8)}, torch.arange(8)))
    assert loss.mean().requires_grad and not sum(steps_by_hand)


@pytest.fixture
def steps_by_hand(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for each mean that does not come from PyTorch's graph."""
    seen: list[int] = []
    computed = WrittenOut.loss

    def counted(self: WrittenOut, inputs: Tensor, targets: Tensor) -> object:
        seen.append(1)
        return computed(self, inputs, targets)

    monkeypatch.setattr(WrittenOut, "loss", counted)
    return seen
