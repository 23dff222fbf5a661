import pytest
import torch

from lamina.ground import PlanError, Shape, tokens
from lamina.hidden import HIDDEN


def test_a_phrase_is_found_wherever_it_stands() -> None:
    torch.manual_seed(0)
    layer = HIDDEN["textconv"]().build(Shape("tokens", 4)).eval()
    phrase = torch.randn(1, 3, 4)
    early, late = torch.zeros(1, 20, 4), torch.zeros(1, 20, 4)
    early[:, 6:9], late[:, 11:14] = phrase, phrase
    with torch.no_grad():
        torch.testing.assert_close(layer(tokens(early)).values, layer(tokens(late)).values)


@pytest.mark.parametrize("settings", [{"windows": ()}, {"windows": (0,)}, {"width": 0}, {"dropout": 1.0}])
def test_settings_that_do_not_do_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(PlanError, match="textconv"):
        HIDDEN["textconv"](**settings)
