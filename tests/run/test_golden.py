import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mixed_rows import mixed, scenery, wishes
from torch import nn

from lamina.ground import RunError
from lamina.run import Trained, check_golden, fit_plan, one_batch, write_golden


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    """Golden answers of a tiny network that takes every kind of input, texts of any length among them."""
    scene = scenery(mixed(60))
    trained = fit_plan(scene.prepared, wishes()).trained
    path = tmp_path_factory.mktemp("run") / "golden.json"
    write_golden(path, trained, one_batch(scene.prepared, scene.prepared.split.train[:3]))
    return path, trained


def test_the_network_that_was_written_answers_alike(golden: tuple[Path, Trained]) -> None:
    check_golden(*golden)


def test_inputs_and_answers_are_data_with_a_stated_tolerance(golden: tuple[Path, Trained]) -> None:
    held = json.loads(golden[0].read_text())
    assert held["inputs"].keys() == golden[1].plan.inputs.keys()
    assert held["answers"].keys() == {"price", "sort"}
    assert 0 < held["tolerance"] < 0.01


@pytest.mark.parametrize("where", ["inputs", "trunks", "hidden", "outputs.price", "outputs.sort"])
def test_a_changed_weight_is_noticed_wherever_it_is(golden: tuple[Path, Trained], where: str) -> None:
    path, trained = golden
    weights = [value for name, value in trained.network.named_parameters() if name.startswith(where)]
    weight = max(weights, key=lambda value: float(value.detach().abs().max()))
    with changed(weight, lambda values: values * torch.linspace(-2, 2, values.numel()).view_as(values)):
        with pytest.raises(
            RunError, match=r"answers otherwise than when it was written \(output '(price|sort)' is off"
        ):
            check_golden(path, trained)
    check_golden(path, trained)


def test_answers_that_are_no_numbers_are_noticed(golden: tuple[Path, Trained]) -> None:
    path, trained = golden
    weight = next(value for name, value in trained.network.named_parameters() if name.startswith("outputs.price"))
    with changed(weight, lambda values: values * torch.nan), pytest.raises(RunError, match="off by nan"):
        check_golden(path, trained)


def test_rounding_is_forgiven(golden: tuple[Path, Trained]) -> None:
    path, trained = golden
    for weight in trained.network.parameters():
        with changed(weight, lambda values: values * (1 + 1e-6)):
            check_golden(path, trained)


class changed:
    """A parameter with other values for a while."""

    def __init__(self, weight: nn.Parameter, change: Callable[[torch.Tensor], torch.Tensor]):
        self.weight, self.kept, self.change = weight, weight.detach().clone(), change

    def __enter__(self) -> None:
        with torch.no_grad():
            self.weight.copy_(self.change(self.kept))

    def __exit__(self, *error: object) -> None:
        with torch.no_grad():
            self.weight.copy_(self.kept)
