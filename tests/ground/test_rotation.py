import torch

from lamina.ground.rotation import turned, turns


def test_pairs_are_turned_and_gradients_turned_back() -> None:
    angles = turns(5, 6, torch.zeros(1, dtype=torch.float64), first=3)
    values = torch.randn(2, 4, 5, 6, dtype=torch.float64, requires_grad=True)
    pairs = torch.complex(*values.detach().chunk(2, -1)) * torch.complex(*angles)
    torch.testing.assert_close(turned(values, angles).detach(), torch.cat([pairs.real, pairs.imag], -1))
    assert torch.autograd.gradcheck(lambda each: turned(each, angles), values)


def test_only_the_distance_counts() -> None:
    query, key = torch.randn(8), torch.randn(8)
    products = [
        (turned(query, turns(1, 8, query, first + 4))[0] * turned(key, turns(1, 8, key, first))[0]).sum()
        for first in (0, 100)
    ]
    torch.testing.assert_close(products[0], products[1], rtol=1e-4, atol=1e-4)
