from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from lamina.data import Batch, Place, packed
from lamina.data.batch import Ragged
from lamina.ground import PlanError, Shape
from lamina.hidden import HIDDEN
from lamina.network import Plan, build_critic, build_network, build_perception, plan_from_plain, split_batch
from lamina.objectives import Realism, Supervised


def planned(players: dict[str, Any] | None = None, **settings: Any) -> Plan:
    return plan_from_plain({
        "predict": ["image"],
        "inputs": {"photo": {"kind": "photo", "columns": ["image"], "scale": 2, "side": 16}},
        "hidden": {"name": "enlarger", "width": 4, "blocks": 1},
        "outputs": {"large": {"kind": "photo", "column": "image", "scale": 2}},
        "players": {"critic": {"name": "critic", "width": 4, "features": 8}, **(players or {})},
        "adversarial": {"after": 2, **settings},
        "training": {"objective": "adversarial"},
    })  # fmt: skip


def taught(players: dict[str, Any] | None = None, **settings: Any) -> Realism:
    plan = planned(players, **settings)
    network = build_network(plan, {"inputs.photo": {"rows": 4}, "outputs.large": {"rows": 4}}).network
    found = build_perception(plan, network)
    return Realism(network, build_critic(plan, network)[0], found and found[0], plan.adversarial, 0)


def photos(side: int) -> Ragged:
    generator = torch.Generator().manual_seed(side)
    some = [torch.randint(0, 256, (side, side + 2 * row), generator=generator, dtype=torch.uint8) for row in range(4)]
    values, offsets = packed([photo.numpy() for photo in some])
    return Ragged(torch.from_numpy(values), torch.from_numpy(offsets))


def batch(number: int) -> Batch:
    return Batch({"photo": photos(18)}, {"large": photos(36)}, torch.arange(4)).placed(Place(number, 0, 4))


def order(objective: Realism, number: int) -> list[str]:
    return [player for player, _ in objective.turns(batch(number))]


def test_the_critic_joins_after_the_first_steps() -> None:
    objective = taught()
    assert order(objective, 1) == ["generator"]
    assert order(objective, 2) == ["generator", "critic"]
    assert order(taught(loss="wasserstein"), 2) == ["generator"] + ["critic"] * 5


def test_before_that_a_step_is_that_of_answers_alone() -> None:
    objective = taught()
    (_, loss), (_, plain) = next(objective.turns(batch(1))), next(
        Supervised(objective.players["generator"], 0).turns(batch(1))
    )  # fmt: skip
    assert torch.equal(loss.mean(), plain.mean())


def gradients(objective: Realism, parts: int) -> dict[str, list[Tensor]]:
    found: dict[str, list[Tensor]] = {}
    turns = [objective.turns(part) for part in split_batch(batch(4), parts)]
    for _ in range(2):
        taken = [next(each) for each in turns]
        parameters = list(objective.players[taken[0][0]].parameters())
        total = sum(loss.total for _, loss in taken)
        assert isinstance(total, Tensor)
        found[taken[0][0]] = list(torch.autograd.grad(total, parameters, allow_unused=True))
    return found


def test_parts_of_a_batch_add_up_to_the_whole_and_both_players_learn() -> None:
    whole, parts = gradients(taught(perception=0.5), 1), gradients(taught(perception=0.5), 2)
    for player in ("generator", "critic"):
        learns = [gradient is not None and bool(gradient.any()) for gradient in whole[player]]
        assert learns.count(False) <= (player == "critic")  # what all scores share cancels out
        for one, other in zip(whole[player], parts[player], strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def first(objective: Realism) -> float:
    return next(objective.turns(batch(4)))[1].mean().item()


def test_what_counts_counts_as_much_as_it_is_told() -> None:
    plain = first(taught(weight=0.0))
    for name in ("weight", "perception"):
        once, twice = (first(taught(**{"weight": 0.0, name: share})) - plain for share in (0.5, 1.0))
        assert once > 0 and twice == pytest.approx(2 * once, rel=1e-3)


def test_published_layers_compare_and_do_not_learn(tmp_path: Path) -> None:
    small = {"name": "vgg11", "batch_norm": False, "classifier_width": 4}
    torch.manual_seed(0)
    layers = HIDDEN["vgg11"](batch_norm=False, classifier_width=4).build(Shape("grid", 3, (32, 32)))  # type: ignore[call-arg]
    save_file(dict(layers.state_dict()), tmp_path / "vgg11.safetensors")
    perception = small | {"weights": str(tmp_path / "vgg11.safetensors")}
    objective = taught({"perception": perception}, weight=0.0, perception=1.0)
    assert order(objective, 4) == ["generator"] and set(objective.players) == {"generator", "critic"}
    assert first(objective) > first(taught(weight=0.0))
    with pytest.raises(PlanError, match="layers that never learned see nothing"):
        taught({"perception": small})
    with pytest.raises(PlanError, match="layers that never learned"):
        taught({"perception": {"name": "critic"}})


def test_a_critic_must_take_what_the_output_makes() -> None:
    with pytest.raises(PlanError, match="it makes a grid, and mlp takes vector"):
        taught({"critic": {"name": "mlp"}})
