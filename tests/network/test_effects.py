"""Every value of a plan that says how something is computed changes what is computed: no choice is a dead letter."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from learned import batch, facts, plan
from torch import Tensor

from lamina.hidden import ACTIVATIONS, INITIALISATIONS
from lamina.network import Network, Plan, build_network
from lamina.objectives import Supervised
from lamina.training import make_update, take_step

DENSE = {"name": "mlp", "width": 16, "num_layers": 2}
SMALL = {"alexnet": {"classifier_width": 8}, "vgg11": {"classifier_width": 8}, "convnet": {"width": 8}, "lenet": {}}
LARGER = {"front": {"side": 32}}


def network(of: Plan) -> Network:
    return build_network(of, facts(of)).network


def dense(**settings: Any) -> Plan:
    return plan("age", "rooms", "place", given={"hidden": DENSE | settings})


def features(of: Plan, training: bool = False) -> Tensor:
    """What the hidden layers give, with weights from the plan's seed."""
    torch.manual_seed(5)
    return network(of).train(training).features(batch(of).inputs)["hidden"].values.detach()


def assert_all_differ(found: Mapping[str, Tensor]) -> None:
    for (one, first), (other, second) in itertools.combinations(found.items(), 2):
        assert not torch.allclose(first, second, rtol=1e-4, atol=1e-7), f"{one} and {other} compute the same"


# ---- layers -------------------------------------------------------------------------------------------------------------


def test_every_activation_gives_other_features_from_the_same_weights() -> None:
    plans = {name: dense(activation=name, initialisation="default") for name in ACTIVATIONS}
    drawn = {name: network(of).hidden.state_dict() for name, of in plans.items()}
    for name, weights in drawn.items():
        assert all(torch.equal(weights[key], value) for key, value in drawn["relu"].items()), name
    assert_all_differ({name: features(of) for name, of in plans.items()})


def test_every_initialisation_draws_other_weights() -> None:
    for layers in (DENSE, {"name": "lenet"}):
        inputs = ("front",) if layers["name"] == "lenet" else ("age", "rooms", "place")
        drawn = {}
        for name in INITIALISATIONS:
            state = network(plan(*inputs, given={"hidden": layers | {"initialisation": name}})).hidden.state_dict()
            drawn[name] = next(value for value in state.values() if value.dim() > 1)
        assert_all_differ(drawn)


def test_every_normalisation_gives_other_features() -> None:
    assert_all_differ({name: features(dense(normalisation=name), training=True) for name in ("none", "batch", "layer")})


@pytest.mark.parametrize("name", SMALL)
def test_pooling_takes_the_largest_or_the_average_of_the_same_maps(name: str) -> None:
    given = {"inputs": LARGER, "hidden": {"name": name, **SMALL[name]}}  # type: ignore[dict-item]
    plans = {each: plan("front", given=given | {"hidden": given["hidden"] | {"pooling": each}})  # type: ignore[operator]
             for each in ("max", "average")}  # fmt: skip
    first, second = (network(of).hidden.state_dict() for of in plans.values())
    assert all(torch.equal(first[key], value) for key, value in second.items())
    assert_all_differ({each: features(of) for each, of in plans.items()})


def test_dropout_leaves_numbers_out_in_training_alone() -> None:
    with_dropout, without = dense(dropout=0.5), dense(dropout=0.0)
    assert torch.equal(features(with_dropout), features(without))
    assert_all_differ({"on": features(with_dropout, training=True), "off": features(without, training=True)})


# ---- losses -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target, choices",
    [
        ("sort", {"plain": {}, "focal": {"loss": "focal"}, "weaker": {"loss": "focal", "gamma": 1.0},
                  "smoothing": {"smoothing": 0.2}, "weights": {"class_weights": {"dear": 3.0}}}),
        ("price", {loss: {"loss": loss} for loss in ("mse", "sse", "mae", "huber", "quantile")}
         | {"other quantile": {"loss": "quantile", "quantile": 0.9}, "weight": {"loss": "mse", "weight": 2.0}}),
    ],
)  # fmt: skip
def test_every_loss_values_the_same_answers_otherwise(target: str, choices: dict[str, dict[str, Any]]) -> None:
    found = {}
    for name, settings in choices.items():
        of = plan("age", "rooms", "place", targets=(target,), given={"hidden": DENSE, "outputs": {target: settings}})
        rows = batch(of)
        scores = torch.randn(len(rows), 1, 3 if target == "sort" else 1, generator=torch.Generator().manual_seed(0))
        found[name] = network(of).loss({target: scores}, rows).mean()
    assert_all_differ(found)


# ---- updates ------------------------------------------------------------------------------------------------------------


def moved(**training: Any) -> Tensor:
    """All weights after three steps from the same start on the same rows."""
    of = dense().with_training(**training)
    learner = network(of)
    update = make_update(learner, of.training, of.training.learning_rate)  # type: ignore[arg-type]
    objective = Supervised(learner, seed=0)
    torch.manual_seed(5)
    for _ in range(3):
        take_step(objective, [batch(of)], {"network": update})
    return torch.cat([parameter.detach().flatten() for parameter in learner.parameters()])


def test_every_optimizer_takes_other_steps() -> None:
    names = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "muon")
    assert_all_differ({name: moved(optimizer=name, weight_decay=0.1, learning_rate=0.01) for name in names})


@pytest.mark.parametrize(
    "optimizer, settings",
    [
        ("adamw", {"learning_rate": 0.05}),
        ("adamw", {"weight_decay": 0.9}),
        ("adamw", {"momentum": 0.5}),
        ("momentum", {"momentum": 0.5}),
        ("rmsprop", {"momentum": 0.5}),
        ("sgd", {"clip": 0.01}),
        ("muon", {"muon_rate": 0.1}),
        ("muon", {"weight_decay": 0.9}),
    ],
)
def test_every_setting_of_an_update_changes_its_steps(optimizer: str, settings: dict[str, float]) -> None:
    usual = {"optimizer": optimizer, "learning_rate": 0.01, "weight_decay": 0.1, "momentum": 0.9, "clip": 1.0}
    assert_all_differ({"usual": moved(**usual), "changed": moved(**usual | settings)})
