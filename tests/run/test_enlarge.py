import numpy as np
import pytest
import torch

from lamina.hidden import EnlargerPlan
from lamina.network import Network, Plan, build_network, plan_from_plain
from lamina.run.enlarge import enlarged


def built(scale: int, blocks: int) -> tuple[Network, Plan]:
    plan = plan_from_plain({
        "predict": ["image"],
        "inputs": {"photo": {"kind": "photo", "columns": ["image"], "scale": scale}},
        "hidden": {"name": "enlarger", "width": 8, "blocks": blocks},
        "outputs": {"large": {"kind": "photo", "column": "image", "scale": scale}},
    })  # fmt: skip
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
