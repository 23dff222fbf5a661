"""Steps of a network that makes pictures and its critic, a second: Lamina's beside a loop written by hand.

The same two networks, as Lamina chooses them for digits of 28 x 28 with ten classes, the same loss, batches and rate.
By hand twice: with penalties at each step, as the paper's own loop has them, and with penalties at every fourth, as
Lamina has them by default. All take turns, on the same threads. The floor is what the products alone would take if each
ran as fast as a product of two large matrices on this machine.
"""

import copy
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from lamina.data import Batch, Column, Facts, Place
from lamina.ground import prepare_process
from lamina.network import Critic, Network, Plan, Scene, build_critic, build_network, choose_plan, making
from lamina.objectives import Adversarial
from lamina.training import Average, make_update, take_step

ROWS, CLASSES, SIDE = 60_000, 10, 28
Step = Callable[[int], None]


def chosen() -> tuple[Plan, dict[str, Facts]]:
    """The plan that Lamina chooses for digits, and what its parts would have learned of them."""
    columns = {
        "image": Column(name="image", kind="image", role="target"),
        "class": Column(name="class", kind="category"),
    }
    plan = choose_plan(Scene(columns, ["image"], ROWS, SIDE), {}, making)
    facts: dict[str, Facts] = {
        "inputs.noise": {},
        "inputs.asked": {"rows": ROWS, "values": [[str(number) for number in range(CLASSES)]], "gaps": [0],
                         "others": [0]},
        "outputs.image": {"height": SIDE, "width": SIDE, "channels": 1, "rows": ROWS},
    }  # fmt: skip
    return plan, facts


def batches(plan: Plan, count: int) -> list[Batch]:
    """Noise in place of digits, and classes: what a step costs does not hang on what pictures show."""
    size = plan.training.batch_size
    generator = torch.Generator().manual_seed(0)
    made = []
    for number in range(count):
        codes = torch.randint(2, 2 + CLASSES, (size, 1), generator=generator, dtype=torch.int32)
        pictures = torch.randint(0, 256, (size, 1, SIDE, SIDE), generator=generator, dtype=torch.uint8)
        inputs = {"noise": torch.zeros(size, plan.inputs["noise"].size), "asked": codes}  # type: ignore[attr-defined]
        made.append(Batch(inputs, {"image": pictures}, torch.arange(size)).placed(Place(number, 0, size)))
    return made


def by_lamina(network: Network, critic: Critic, plan: Plan, layout: torch.memory_format) -> Step:
    """What `lamina train` does at each step: both turns, both updates, the running average."""
    network = network.to(memory_format=layout)  # type: ignore[call-overload]
    critic = critic.to(memory_format=layout)  # type: ignore[call-overload]
    objective = Adversarial(network, critic, plan.adversarial, ("asked",), ROWS, 0)
    rate = plan.training.learning_rate
    assert isinstance(rate, float)
    updates = {name: make_update(player, plan.training, rate) for name, player in objective.players.items()}
    average = Average(network, plan.training.average)
    some = batches(plan, 8)

    def step(number: int) -> None:
        batch = some[number % 8]
        take_step(objective, [batch.placed(batch.place._replace(batch=number))], updates)
        average.update()

    return step


def by_hand(network: Network, critic: Critic, plan: Plan, penalty_every: int) -> Step:
    """The same as people write it in PyTorch."""
    rate = plan.training.learning_rate
    assert isinstance(rate, float)
    for_maker = torch.optim.Adam(network.parameters(), lr=rate, betas=(0.0, 0.99))
    for_critic = torch.optim.Adam(critic.parameters(), lr=rate, betas=(0.0, 0.99))
    average = copy.deepcopy(network)
    some = batches(plan, 8)

    def length(scores: Tensor, pictures: Tensor) -> Tensor:
        (slope,) = torch.autograd.grad(scores.sum(), pictures, create_graph=True)
        return slope.square().sum((1, 2, 3)).mean()

    def step(number: int) -> None:
        batch = some[number % 8]
        noise, codes, target = batch.inputs["noise"], batch.inputs["asked"], batch.targets["image"]
        assert isinstance(noise, Tensor) and isinstance(codes, Tensor) and isinstance(target, Tensor)
        real, wanted = target.float() / 127.5 - 1, network.inputs["asked"](codes).values
        penalised = number % penalty_every == 0

        for_critic.zero_grad()
        made = network({"noise": torch.randn_like(noise), "asked": codes})["image"][:, 0]
        shown = made.detach().requires_grad_(penalised)
        real.requires_grad_(penalised)
        for_real, for_made = critic(real, wanted), critic(shown, wanted)
        loss = functional.softplus(for_made - for_real).mean()
        if penalised:
            loss = loss + penalty_every / 2 * (length(for_real, real) + length(for_made, shown))
        loss.backward()
        for_critic.step()

        for_maker.zero_grad()
        for_made = critic(made, wanted)
        with torch.no_grad():
            for_real = critic(real, wanted)
        functional.softplus(for_real - for_made).mean().backward()
        for_maker.step()

        with torch.no_grad():
            for mean, value in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(value, 1 - plan.training.average)

    return step


def contenders() -> dict[str, Step]:
    """Everybody, with networks of their own that start alike."""
    plan, facts = chosen()
    network = build_network(plan, facts).network
    critic, _ = build_critic(plan, network)

    def pair() -> tuple[Network, Critic]:
        return copy.deepcopy(network), copy.deepcopy(critic)

    every = plan.adversarial.penalty_every
    return {
        "lamina": by_lamina(*pair(), plan, torch.channels_last),
        "lamina, contiguous": by_lamina(*pair(), plan, torch.contiguous_format),
        "by hand": by_hand(*pair(), plan, every),
        "by hand, penalties each step": by_hand(*pair(), plan, 1),
    }


def products(step: Step, steps: int) -> float:
    """Floating-point operations of a step's products, the mean over some steps."""
    with _Products() as counted:  # type: ignore[no-untyped-call]
        for number in range(steps):
            step(number)
    return counted.total / steps


class _Products(TorchDispatchMode):
    """Counts the operations of products; PyTorch's own counter follows modules too, which penalties do not bear."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if func.overloadpacket in flop_registry:
            self.total += flop_registry[func.overloadpacket](*args, **(kwargs or {}), out_val=found)
        return found


def products_a_second() -> float:
    """Floating-point operations a second of a product of two 1,024 x 1,024 matrices, the best of several."""
    one = torch.randn(1024, 1024)
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        one @ one
        best = min(best, time.perf_counter() - start)
    return 2 * 1024**3 / best


def compare(seconds: float, repeats: int) -> dict[str, Any]:
    """Steps a second of each, and ratios.

    Args:
        seconds: of a turn, about.
        repeats: turns of each.
    """
    prepare_process()
    steps = contenders()
    taken: dict[str, int] = dict.fromkeys(steps, 0)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for name, step in steps.items():  # the first ones warm up, and say how many make a turn
        times_of = [_timed(step, number) for number in range(4)]
        taken[name] = max(round(seconds / statistics.median(times_of) / 4), 1) * 4
    for _ in range(repeats):
        for name, step in steps.items():
            times[name] += [_timed(step, 0, taken[name]) / taken[name]]
    flops, fastest = products(steps["lamina"], 4), products_a_second()
    a_second = {name: 1 / statistics.median(each) for name, each in times.items()}
    best = max("lamina", "lamina, contiguous", key=a_second.__getitem__)
    return {
        "steps_a_second": {name: round(value, 2) for name, value in a_second.items()},
        "spread": {name: [round(1 / max(each), 2), round(1 / min(each), 2)] for name, each in times.items()},
        "layout": best,
        "over_by_hand": round(a_second[best] / a_second["by hand"], 3),
        "over_by_hand_penalties_each_step": round(a_second[best] / a_second["by hand, penalties each step"], 3),
        "share_of_the_floor": round(flops / fastest * a_second[best], 3),
        "gigaflop_a_step": round(flops / 1e9, 3),
        "gigaflop_a_second_of_a_large_product": round(fastest / 1e9, 1),
        "threads": torch.get_num_threads(), "seconds_a_turn": seconds, "repeats": repeats, "steps_a_turn": taken,
    }  # fmt: skip


def _timed(step: Step, first: int, count: int = 1) -> float:
    start = time.perf_counter()
    for number in range(first, first + count):
        step(number)
    return time.perf_counter() - start
