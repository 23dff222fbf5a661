from pathlib import Path
from typing import Any

import pytest
import torch
from learned import batch, facts, plan
from safetensors.torch import save_file
from torch import nn

from lamina.data import Batch
from lamina.ground import Features, PlanError, Shape, ShapeError, vector
from lamina.hidden import HIDDEN, HiddenLayer
from lamina.network import Built, Plan, build_network
from lamina.training import same_tensors


def built(of: Plan, hidden: HiddenLayer | None = None) -> Built:
    return build_network(of, facts(of), hidden)


def answers(found: Built, given: Batch) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        return found.network.eval()(given.inputs)


def test_every_part_stands_in_the_table_of_layers_with_its_parameters() -> None:
    found = built(plan("front", "age", "place", targets=("price", "sort")))
    paths = [layer.path for layer in found.layers]
    for path in ("inputs.numbers", "inputs.categories", "inputs.front", "trunks.pictures", "hidden", "outputs.price"):
        assert path in paths
    total = sum(parameter.numel() for parameter in found.network.parameters())
    assert sum(layer.parameters for layer in found.layers) == total
    assert found.notes == []


def test_adapters_are_put_between_and_said() -> None:
    found = built(plan("front", given={"hidden": {"name": "mlp"}}))
    (adapter,) = [layer for layer in found.layers if layer.path == "inputs.front -> hidden"]
    assert "average over 12 x 12 positions" in adapter.what
    assert adapter.gives == "3"  # the mean of each colour
    assert answers(found, batch(plan("front")))["price"].shape == (24, 1, 1)


def test_nothing_is_put_between_parts_that_fit() -> None:
    assert not [layer for layer in built(plan("age", "place")).layers if "->" in layer.path]


def test_an_output_may_read_an_input_a_trunk_or_the_hidden_layers() -> None:
    for source in ("hidden", "numbers", "front", "pictures"):
        chosen = plan("front", "age", given={"outputs": {"price": {"from": source}}})
        found = built(chosen)
        raw = answers(found, batch(chosen))["price"]
        assert raw.shape == (24, 1, 1), source
        assert torch.isfinite(raw).all()


def test_a_trunk_that_several_inputs_pass_is_no_single_source() -> None:
    with pytest.raises(PlanError, match=r"outputs\.price\.from.*'pictures'.*front, back"):
        built(plan("front", "back", given={"outputs": {"price": {"from": "pictures"}}}))


@pytest.mark.parametrize(
    "given, words",
    [
        ({"outputs": {"price": {"from": "elsewhere"}}}, ["outputs.price.from", "'elsewhere'", "hidden"]),
        ({"inputs": {"front": {"trunk": "photo"}}}, ["inputs.front.trunk", "'photo'", "pictures"]),
        ({"hidden": {"name": "convnet"}}, ["hidden", "convnet", "vector"]),
        ({"trunks": {"pictures": {"name": "mlp"}}}, ["trunks.pictures", "mlp", "grid"]),
        ({"trunks": {"pictures": {"name": "alexnet"}}}, ["trunks.pictures"]),
        ({"hidden": {"name": "mlp", "width": 10**20}}, ["larger than the memory", "--set hidden.width=128"]),
        ({"hidden": {"name": "mlp", "width": 10**13}}, ["larger than the memory"]),
    ],
)
def test_what_cannot_be_built_names_the_part(given: dict[str, Any], words: list[str]) -> None:
    with pytest.raises((PlanError, ShapeError)) as caught:
        built(plan("front", "age", given=given))
    for word in words:
        assert word in str(caught.value)


def test_pictures_of_two_sizes_cannot_share_a_trunk() -> None:
    with pytest.raises(ShapeError, match=r"inputs\.back.*'pictures'.*same side"):
        built(plan("front", "back", given={"inputs": {"back": {"side": 8}}}))


def test_pictures_that_share_a_trunk_share_its_weights() -> None:
    chosen = plan("front", "back")
    found = built(chosen)
    assert list(found.network.trunks) == ["pictures"]
    given = batch(chosen)
    # The same picture through either input gives the same features: the weights are the same.
    features = found.network.eval().features({"front": given.inputs["front"], "back": given.inputs["front"]})
    for layer in ("front", "back"):
        found.network.inputs[layer].mean.zero_()
        found.network.inputs[layer].deviation.fill_(1)
    features = found.network.features({"front": given.inputs["front"], "back": given.inputs["front"]})
    assert torch.equal(features["front"].values, features["back"].values)
    found.network.train()
    found.network.loss(found.network(given.inputs), given).total.backward()
    assert all(weight.grad is not None for weight in found.network.trunks["pictures"].parameters())


def test_trunks_of_different_names_have_weights_of_their_own() -> None:
    small = {"name": "convnet", "width": 8}
    found = built(plan("front", "back", given={
        "trunks": {"pictures": small, "other": small}, "inputs": {"back": {"trunk": "other"}},
    }))  # fmt: skip
    one, other = (found.network.trunks[name].state_dict() for name in ("pictures", "other"))
    assert one.keys() == other.keys()
    assert not same_tensors(one, other)


def test_weights_follow_from_the_seed_alone() -> None:
    one, again = (built(plan("front", "age", targets=("sort",))).network.state_dict() for _ in range(2))
    torch.manual_seed(123)
    torch.rand(5)
    third = built(plan("front", "age", targets=("sort",))).network.state_dict()
    assert same_tensors(one, again) and same_tensors(one, third)
    assert not same_tensors(
        one, built(plan("front", "age", targets=("sort",)).with_training(seed=1)).network.state_dict()
    )


def test_building_leaves_the_stream_of_random_numbers_as_it_was() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    built(plan("age"))
    assert torch.equal(torch.rand(3), expected)


class Own(HiddenLayer):
    """Hidden layers of one's own: one dense layer over whatever comes."""

    def __init__(self, width: int):
        super().__init__()
        self.layer = nn.Linear(width, 5)
        self.shape = Shape("vector", 5)

    def forward(self, features: Features) -> Features:
        return vector(self.layer(features.values.flatten(1)))


def width_before_hidden(chosen: Plan) -> int:
    """Numbers that reach the hidden layers of a plan."""
    network = built(chosen).network.eval()
    found = network.features(batch(chosen).inputs)
    ready = [network.joins[name](found[name]) if name in network.joins else found[name] for name in chosen.inputs]
    return sum(each.values.flatten(1).shape[1] for each in ready)


@pytest.mark.parametrize("inputs", [("age",), ("front",), ("age", "place"), ("front", "age")])
def test_a_module_of_ones_own_takes_the_place_of_the_hidden_layers(inputs: tuple[str, ...]) -> None:
    chosen = plan(*inputs)
    own = Own(width_before_hidden(chosen))
    found = built(chosen, own)
    assert found.network.hidden is own
    assert [layer.what for layer in found.layers if layer.path == "hidden"] == ["Own"]
    assert answers(found, batch(chosen))["price"].shape == (24, 1, 1)


def test_the_head_of_published_weights_is_taken_where_the_classes_agree(tmp_path: Path) -> None:
    weights = {
        name: value * 0.5 for name, value in HIDDEN["resnet18"]().build(Shape("grid", 3, (32, 32))).state_dict().items()
    }
    for classes, taken in ((3, True), (7, False)):
        head = {"fc.weight": torch.randn(classes, 512), "fc.bias": torch.randn(classes)}
        save_file(weights | head, tmp_path / "weights.safetensors")
        hidden = {"name": "resnet18", "weights": str(tmp_path / "weights.safetensors")}
        found = built(plan("front", targets=("sort",), side=32, given={"hidden": hidden}))
        assert any("outputs.sort" in note for note in found.notes) == taken
        assert found.notes, "what became of the file is said"
        assert any(value.shape[-2:] == (512, 3) and torch.equal(value.squeeze().mT, head["fc.weight"])
                   for value in found.network.outputs["sort"].parameters()) == taken  # fmt: skip
