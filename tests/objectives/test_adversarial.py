from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from lamina.data import Batch, Place
from lamina.ground import Shape, torch_generator
from lamina.hidden import CriticPlan, GeneratorPlan
from lamina.inputs import CategoryInput, NoiseInput
from lamina.losses import Loss
from lamina.network import AdversarialPlan, Critic, Network, split_batch
from lamina.objectives import Adversarial
from lamina.objectives._alter import alter
from lamina.outputs import ImageOutput

FACTS = {"height": 8, "width": 8, "channels": 1, "rows": 40}
CLASSES = {"rows": 40, "values": [["a", "b", "c"]], "gaps": [0], "others": [0]}


def players(seed: int = 0) -> tuple[Network, Critic]:
    torch.manual_seed(seed)
    noise = NoiseInput(columns=("image",), size=6).build({})
    asked = CategoryInput(columns=("class",)).build(CLASSES)
    layers = GeneratorPlan(width=4, grid=(4, 4), stages=0).build(Shape("vector", noise.shape.width + asked.shape.width))
    output = ImageOutput(column="image").build(FACTS, layers.shape)
    network = Network({"noise": noise, "asked": asked}, {}, {}, {}, layers, {"image": output}, {"image": "hidden"},
                      {"image": 1.0}, {})  # fmt: skip
    return network, Critic(CriticPlan(width=4, features=8).build(output.shown), output.shown, asked.shape.width)


def batch(number: int = 0) -> Batch:
    generator = torch_generator("pictures", 1)
    pictures = torch.randint(0, 256, (12, 1, 8, 8), generator=generator, dtype=torch.uint8)
    codes = torch.randint(2, 5, (12, 1), generator=generator, dtype=torch.int32)
    inputs = {"noise": torch.zeros(12, 6), "asked": codes}
    return Batch(inputs, {"image": pictures}, torch.arange(12)).placed(Place(number, 0, 12))


def objective(seed: int = 0, **settings: object) -> Adversarial:
    return Adversarial(*players(), AdversarialPlan(**settings), ("asked",), 40, seed)  # type: ignore[arg-type]


def gradients(taught: Adversarial, parts: int, number: int = 0) -> dict[str, list[Tensor]]:
    """Of both players, before anybody moves."""
    found: dict[str, list[Tensor]] = {}
    turns = [taught.turns(part) for part in split_batch(batch(number), parts)]
    for _ in range(2):
        taken = [next(each) for each in turns]
        player = taken[0][0]
        parameters = list(taught.players[player].parameters())
        total = sum(loss.total for _, loss in taken)
        assert isinstance(total, Tensor)
        found[player] = list(torch.autograd.grad(total, parameters, allow_unused=True))
    return found


@pytest.mark.parametrize("loss", ["relativistic", "minimax", "wasserstein"])
def test_parts_of_a_batch_add_up_to_the_whole_for_both_players(loss: str) -> None:
    whole = gradients(objective(loss=loss, critic_turns=1), 1)
    parts = gradients(objective(loss=loss, critic_turns=1), 3)
    assert set(whole) == {"critic", "generator"}
    for player in whole:
        for one, other in zip(whole[player], parts[player], strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("loss", ["relativistic", "minimax", "wasserstein"])
def test_every_parameter_of_the_player_whose_turn_it_is_learns(loss: str) -> None:
    for player, found in gradients(objective(loss=loss, critic_turns=1), 1).items():
        shift = player == "critic" and loss in ("relativistic", "wasserstein")  # what all scores share cancels out
        missed = [gradient for gradient in found if gradient is None or not gradient.any()]
        assert len(missed) <= shift


def order(taught: Adversarial) -> Iterator[str]:
    for player, _ in taught.turns(batch()):
        yield player


def test_the_critic_goes_first_and_as_often_as_it_is_told() -> None:
    assert list(order(objective())) == ["critic", "generator"]
    assert list(order(objective(loss="wasserstein"))) == ["critic"] * 5 + ["generator"]


def losses(taught: Adversarial, number: int) -> list[float]:
    return [loss.mean().item() for _, loss in taught.turns(batch(number))]


def test_a_step_draws_the_same_whenever_it_is_taken_and_another_than_its_neighbours() -> None:
    assert losses(objective(), 5) == losses(objective(), 5)
    assert losses(objective(), 5) != losses(objective(), 6)
    assert losses(objective(seed=1), 5) != losses(objective(), 5)


def test_penalties_come_at_their_steps_and_are_as_heavy_as_all_of_them_together() -> None:
    plain = losses(objective(penalty=0.0), 0)[0]
    each = losses(objective(penalty_every=1, penalty=0.5), 0)[0] - plain
    assert each > 0
    assert losses(objective(penalty_every=4, penalty=0.5), 0)[0] - plain == pytest.approx(4 * each, rel=1e-4)
    assert losses(objective(penalty_every=4), 1) == losses(objective(penalty=0.0), 1)


class _Sum(nn.Module):
    """A critic whose gradient at every picture is known: three at each pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.three = nn.Parameter(torch.tensor(3.0))

    def forward(self, pictures: Tensor, asked: Tensor | None) -> Tensor:
        return self.three * pictures.sum((1, 2, 3))


@pytest.mark.parametrize("loss, expected", [("relativistic", 2 * 9 * 64 / 2), ("wasserstein", (3 * 8 - 1) ** 2)])
def test_the_penalty_is_that_of_the_paper(loss: str, expected: float) -> None:
    def of(penalty: float) -> float:
        plan = AdversarialPlan(loss=loss, penalty=penalty, penalty_every=1, augment=0.0)  # type: ignore[arg-type]
        taught = Adversarial(players()[0], _Sum(), plan, ("asked",), 40, 0)  # type: ignore[arg-type]
        return next(taught.turns(batch()))[1].mean().item()

    assert of(1.0) - of(0.0) == pytest.approx(expected, rel=1e-3)


def test_a_resumed_training_tells_of_the_same_figures() -> None:
    one = objective()
    list(one.turns(batch(0)))
    other = objective()
    other.restore(one.state())
    assert set(one.summary()) == {"critic_loss", "critic_accuracy", "generator_loss"}
    assert other.summary() == one.summary()


def test_pictures_are_altered_in_ways_that_gradients_pass_and_only_as_many_as_was_said() -> None:
    pictures = torch.rand(200, 1, 8, 8, requires_grad=True)
    seen = alter(pictures, 0.3, torch_generator("alter"), Place(0, 0, 200))
    changed = (seen != pictures).flatten(1).any(1).float().mean()
    assert 0.4 < float(changed) < 0.8  # each of three kinds of change takes its own 30 %
    seen.sum().backward()
    assert pictures.grad is not None and (pictures.grad.flatten(1).abs().sum(1) > 0).all()
    alone = alter(pictures[50:60], 0.3, torch_generator("alter"), Place(0, 50, 200))
    torch.testing.assert_close(alone, seen[50:60])
    torch.testing.assert_close(alter(pictures, 0.0, torch_generator("alter"), Place(0, 0, 200)), pictures)


def test_a_loss_is_a_sum_with_a_count() -> None:
    for _, loss in objective().turns(batch()):
        assert isinstance(loss, Loss) and float(loss.count) == 12
