import pytest
import torch

from lamina.ground import PlanError, Shape, tokens
from lamina.hidden import HIDDEN


def layer(window: int) -> torch.nn.Module:
    torch.manual_seed(0)
    return HIDDEN["transformer"](width=16, heads=2, window=window).build(Shape("tokens", 8)).eval()  # type: ignore[call-arg]


def test_tokens_beyond_a_window_do_not_look_at_each_other_and_none_is_cut_off() -> None:
    torch.manual_seed(1)
    values = torch.randn(1, 10, 8)
    changed = values.clone()
    changed[0, 9] += 1
    with torch.no_grad():
        near, far = ((layer(w)(tokens(values)).values - layer(w)(tokens(changed)).values)[0] for w in (16, 5))
    assert near.abs().sum(1).min() > 0
    assert far[:5].abs().max() == 0
    assert far[5:].abs().sum(1).min() > 0


def test_the_same_token_at_another_place_is_told_apart() -> None:
    values = torch.randn(1, 1, 8).expand(1, 6, 8).clone()
    values[0, 2] = torch.randn(8)
    with torch.no_grad():
        found = layer(16)(tokens(values)).values[0]
    assert not torch.allclose(found[0], found[5], atol=1e-4)


@pytest.mark.parametrize("settings", [{"width": 10, "heads": 4}, {"heads": 0}, {"dropout": 1.0}])
def test_settings_that_do_not_do_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(PlanError, match="transformer"):
        HIDDEN["transformer"](**settings)
