from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from learned import batch, facts, plan
from torch import Tensor

from lamina.ground import PlanError, torch_generator
from lamina.network import Network, Plan, build_network, split_batch

MLP = {"hidden": {"name": "mlp", "width": 8, "num_layers": 1}}


def network(of: Plan) -> Network:
    return build_network(of, facts(of)).network


def test_losses_of_several_outputs_are_their_means_joined_by_weight() -> None:
    chosen = plan("age", "place", targets=("price", "sort"), given={**MLP, "outputs": {"price": {"weight": 3.0}}})
    net, given = network(chosen).eval(), batch(chosen)
    raw = net(given.inputs)
    joined = net.loss(raw, given)
    apart = {name: net.outputs[name].loss(raw[name], given.targets[name]).mean() for name in ("price", "sort")}
    torch.testing.assert_close(joined.mean(), 3 * apart["price"] + apart["sort"])
    assert float(joined.count) == len(given)


@pytest.mark.parametrize("targets", [("price",), ("price", "sort")])
@pytest.mark.parametrize("weight", [1.0, 0.25])
def test_a_single_output_is_weighed_as_one_of_several_is(targets: tuple[str, ...], weight: float) -> None:
    def loss(weight: float) -> Tensor:
        weights = {name: {"weight": weight} for name in targets}
        chosen = plan("age", targets=targets, given={**MLP, "outputs": weights})
        net, given = network(chosen).eval(), batch(chosen)
        return net.loss(net(given.inputs), given).mean()

    torch.testing.assert_close(loss(weight), weight * loss(1.0))


def test_a_batch_in_equal_pieces_has_the_loss_of_the_whole() -> None:
    chosen = plan("age", targets=("price", "sort"), given=MLP)
    net, given = network(chosen).eval(), batch(chosen)
    parts = [net.loss(net(piece.inputs), piece) for piece in split_batch(given, 4)]
    whole = net.loss(net(given.inputs), given)
    torch.testing.assert_close(sum(part.total for part in parts), whole.total)
    assert sum(float(part.count) for part in parts) == float(whole.count)


def test_a_row_counts_as_much_as_its_weight_says() -> None:
    chosen = plan("age", given=MLP)
    net = network(chosen).eval()
    first = np.zeros(24, dtype=np.float32)
    first[:5] = 1
    weighted, few = batch(chosen, weight=first), batch(chosen, range(5))
    loss = net.loss(net(weighted.inputs), weighted)
    torch.testing.assert_close(loss.mean(), net.loss(net(few.inputs), few).mean())


def test_an_input_without_members_is_shared_by_all_members_of_another() -> None:
    chosen = plan("age", "words", given={"hidden": {"width": 8, "members": 4}})
    net, given = network(chosen).eval(), batch(chosen)
    assert net(given.inputs)["price"].shape == (24, 4, 1)
    alone = net({name: values[:1] if isinstance(values, Tensor) else type(values)(values.values[: values.offsets[1]], values.offsets[:2])
                 for name, values in given.inputs.items()})  # fmt: skip
    torch.testing.assert_close(alone["price"], net(given.inputs)["price"][:1], rtol=1e-4, atol=1e-5)


def test_features_of_every_part_can_be_looked_at() -> None:
    chosen = plan("front", "age")
    found = network(chosen).eval().features(batch(chosen).inputs)
    assert found.keys() == {"numbers", "front", "pictures", "hidden"}
    assert found["front"] is found["pictures"]


def test_pictures_are_varied_and_answers_about_the_whole_picture_stay() -> None:
    chosen = plan("front", "age", targets=("sort", "price"), given={"inputs": {"front": {"mirror": True}}})
    net, given = network(chosen), batch(chosen)
    varied = net.augment(given, torch_generator(0, "a"))
    assert not torch.equal(varied.inputs["front"], given.inputs["front"].float())  # type: ignore[union-attr]
    assert torch.equal(varied.inputs["numbers"], given.inputs["numbers"])  # type: ignore[arg-type]
    assert all(torch.equal(varied.targets[name], given.targets[name]) for name in ("sort", "price"))  # type: ignore[arg-type]
    again = net.augment(given, torch_generator(0, "a"))
    assert torch.equal(varied.inputs["front"], again.inputs["front"])  # type: ignore[arg-type]


def test_targets_follow_the_geometry_or_refuse_it(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = plan("front", targets=("sort",), given={"inputs": {"front": {"mirror": True}}})
    net, given = network(chosen), batch(chosen)
    output = type(net.outputs["sort"])
    seen: dict[str, Any] = {}

    def follow(self: object, targets: Tensor, geometry: dict[str, Tensor]) -> Tensor:
        seen.update(geometry)
        return torch.where(geometry["mirror"], 2 - targets, targets)

    with monkeypatch.context() as patch:
        patch.setattr(output, "follow", follow)
        varied = net.augment(given, torch_generator(0, "a"))
        mirrored = seen["mirror"]
        assert 0 < int(mirrored.sum()) < 24
        expected = torch.where(mirrored, 2 - given.targets["sort"], given.targets["sort"])  # type: ignore[operator]
        assert torch.equal(varied.targets["sort"], expected)  # type: ignore[arg-type]
    monkeypatch.setattr(output, "follows", frozenset({"shift"}))
    with pytest.raises(PlanError, match="cannot follow 'mirror'"):
        net.augment(given, torch_generator(0, "a"))


def test_a_table_is_not_varied() -> None:
    chosen = plan("age", "place")
    given = batch(chosen)
    varied = network(chosen).augment(given, torch_generator(0))
    assert all(varied.inputs[name] is given.inputs[name] for name in given.inputs)
    assert replace(varied, inputs=given.inputs) == given


def test_parts_of_a_batch_are_varied_as_the_whole_batch_is() -> None:
    chosen = plan("front", "age", targets=("sort",), given={"inputs": {"front": {"mirror": True}}})
    net, given = network(chosen), batch(chosen)
    whole = net.augment(given, torch_generator(0, "a"))
    parts = [net.augment(part, torch_generator(0, "a")) for part in split_batch(given, 3)]
    assert torch.equal(torch.cat([part.inputs["front"] for part in parts]), whole.inputs["front"])  # type: ignore[misc, arg-type]


def test_losses_of_several_outputs_add_up_over_parts_where_rows_have_weights() -> None:
    chosen = plan("age", targets=("sort", "price"))
    net, given = network(chosen).eval(), batch(chosen)
    for weight in (None, torch.linspace(0, 3, len(given)), (torch.arange(len(given)) > 15).float()):
        whole = replace(given, weight=weight)
        losses = [net.loss(net(part.inputs), part) for part in split_batch(whole, 3)]  # the first has no weight at all
        total, count = sum(loss.total for loss in losses), sum(loss.count for loss in losses)
        torch.testing.assert_close(total / count, net.loss(net(whole.inputs), whole).mean())
