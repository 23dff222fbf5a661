import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from lamina.ground import key, numpy_generator, permutation, torch_generator


def test_keys_do_not_depend_on_the_process() -> None:
    """Unlike `hash`, whose answer for text changes from one process to the next."""
    code = "from lamina.ground import key; print(key(3, 'dropout', 12), key('a', 'b'), hash('a'))"
    answers = [
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, check=True,
                       capture_output=True, text=True).stdout.split()
        for seed in ("1", "2")
    ]  # fmt: skip
    assert answers[0][2] != answers[1][2]
    assert answers[0][:2] == answers[1][:2] == [str(key(3, "dropout", 12)), str(key("a", "b"))]


def test_every_part_of_a_key_counts_and_so_does_its_place() -> None:
    keys = [
        key(0, "order", 1),
        key(1, "order", 0),
        key(0, "order", 2),
        key(0, "rate", 1),
        key(0, "order"),
        key("ab"),
        key("a", "b"),
    ]
    assert len(set(keys)) == len(keys)
    assert all(0 <= each < 2**63 for each in keys)


@pytest.mark.parametrize("parts", [(0,), (7, "split"), ("x", 3, 4)])
def test_generators_of_the_same_keys_draw_the_same(parts: tuple[object, ...]) -> None:
    assert numpy_generator(*parts).random() == numpy_generator(*parts).random() != numpy_generator(*parts, 1).random()
    one, again, other = (torch.rand(4, generator=torch_generator(*each)) for each in (parts, parts, (*parts, 1)))
    assert torch.equal(one, again) and not torch.equal(one, other)


@pytest.mark.parametrize("count", [0, 1, 100])
def test_an_order_holds_every_row_once(count: int) -> None:
    order = permutation(count, 0, "order")
    assert sorted(order.tolist()) == list(range(count))
    assert np.array_equal(order, permutation(count, 0, "order"))
    assert count < 2 or not np.array_equal(order, permutation(count, 1, "order"))
