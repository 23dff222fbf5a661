import pytest
import torch

from lamina.ground import PlanError, Shape, tokens
from lamina.hidden import HIDDEN
from lamina.hidden.recurrent import RECURRENT


@pytest.mark.parametrize("name", RECURRENT)
def test_reading_one_way_knows_nothing_of_what_comes_and_both_ways_do(name: str) -> None:
    values = torch.randn(1, 6, 4)
    changed = values.clone()
    changed[0, 5] += 1
    for both, knows in ((False, False), (True, True)):
        torch.manual_seed(0)
        layer = HIDDEN[name](width=8, both_ways=both).build(Shape("tokens", 4)).eval()  # type: ignore[call-arg]
        with torch.no_grad():
            moved = (layer(tokens(values)).values - layer(tokens(changed)).values)[0]
        assert (moved[0].abs().max() > 0) == knows
        assert moved[5].abs().max() > 0
        assert layer.shape.width == (16 if both else 8)


@pytest.mark.parametrize("settings", [{"width": 0}, {"num_layers": 0}, {"dropout": 1.0}])
def test_settings_that_do_not_do_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(PlanError, match="lstm"):
        HIDDEN["lstm"](**settings)
