import pytest
import torch

from lamina.training import orthogonal


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (16, 16)])
def test_orthogonal_brings_singular_values_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(*shape) * 30))
    assert float(values.min()) > 0.6 and float(values.max()) < 1.3
