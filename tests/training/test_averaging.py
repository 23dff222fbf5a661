import torch
from torch import nn

from lamina.training import Average


def test_the_average_of_weights_that_stand_still_is_the_weights() -> None:
    module = nn.Linear(3, 2)
    average = Average(module, 0.9)
    for _ in range(5):
        average.update()
    torch.testing.assert_close(average.module.weight, module.weight)


def test_the_average_follows_slowly_and_forgets_its_random_start() -> None:
    module = nn.Linear(1, 1, bias=False)
    average = Average(module, 0.9)
    with torch.no_grad():
        module.weight.fill_(5.0)
    for _ in range(200):
        average.update()
    assert abs(float(average.module.weight) - 5) < 1e-3
    with torch.no_grad():
        module.weight.fill_(6.0)
    average.update()
    assert abs(float(average.module.weight) - 5.1) < 1e-3


def test_counters_are_copied_not_averaged() -> None:
    module = nn.BatchNorm1d(2)
    average = Average(module, 0.9)
    module(torch.randn(8, 2))
    average.update()
    assert int(average.module.num_batches_tracked) == 1


def test_without_memory_the_average_is_the_network() -> None:
    module = nn.Linear(2, 2)
    assert Average(module, 0.0).module is module
