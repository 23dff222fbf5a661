import numpy as np
import pytest
import torch

from lamina.hidden import EnlargerPlan
from lamina.network import Network, Plan, build_network, plan_from_plain
from lamina.run.enlarge import enlarged


def planned(scale: int, blocks: int, looks: bool = True) -> Plan:
    return plan_from_plain({
        "predict": ["image"],
        "inputs": {"photo": {"kind": "photo", "columns": ["image"], "scale": scale, "looks": looks}},
        "hidden": {"name": "enlarger", "width": 8, "blocks": blocks},
        "outputs": {"large": {"kind": "photo", "column": "image", "scale": scale}},
    })  # fmt: skip


def built(scale: int, blocks: int) -> tuple[Network, Plan]:
    plan = planned(scale, blocks)
    network = build_network(plan, {"inputs.photo": {"rows": 1}, "outputs.large": {"rows": 1}}).network
    with torch.no_grad():
        for parameter in network.parameters():  # every layer must be seen to reach as far as it does
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    return network, plan


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(50, 41), (16, 16), (17, 64)])
def test_tiles_agree_with_the_whole_to_the_last_pixel(scale: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network, plan = built(scale, 2)
    small = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8)
    whole = enlarged(network, plan, small, tile=1000)
    assert whole.shape == (size[0] * scale, size[1] * scale)
    tiled = enlarged(network, plan, small, tile=16)
    # Rounding to whole brightness may turn over where sums were taken in another order.
    assert np.abs(tiled.astype(int) - whole).max() <= 1 and (tiled != whole).mean() < 1e-3


def test_a_seam_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network, plan = built(2, 2)
    small = np.random.default_rng(1).integers(0, 256, (50, 41), dtype=np.uint8)
    whole = enlarged(network, plan, small, tile=1000)
    monkeypatch.setattr(EnlargerPlan, "reach", -2)
    assert (enlarged(network, plan, small, tile=16) != whole).mean() > 0.01


@pytest.mark.parametrize("size", [(12, 12), (9, 14)])
def test_a_photo_that_is_turned_comes_out_turned_once_training_is_over(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network, plan = built(2, 1)
    small = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8)
    one_look = enlarged(network, plan, small)
    assert (enlarged(network, plan, small.T) != one_look.T).mean() > 0.1
    network.looks_twice = True
    for change in (np.transpose, np.flipud, np.fliplr):
        made, expected = enlarged(network, plan, change(small)), change(enlarged(network, plan, small))
        assert np.abs(made.astype(int) - expected).max() <= 1 and (made != expected).mean() < 0.01
    assert np.array_equal(enlarged(network, planned(2, 1, looks=False), small), one_look)
