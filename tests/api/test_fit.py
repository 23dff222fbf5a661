import json
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import lamina
from lamina.api import ModuleRun
from lamina.report import Silent
from lamina.run import RunFolder
from lamina.training import Way, precision

ROWS = 200


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))


def data() -> tuple[Tensor, Tensor]:
    """Four numbers and a class that the largest of the first three decides."""
    inputs = torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(0))
    return inputs, inputs[:, :3].argmax(1)


def fit(module: nn.Module | None = None, rows: Any = None, **more: Any) -> ModuleRun:
    settings = {"epochs": 3, "batch_size": 20, "quiet": True} | more
    return lamina.fit(module or network(), rows or data(), **settings)


def test_any_module_learns_and_comes_back_with_its_best_weights() -> None:
    run = fit(epochs=20, learning_rate=0.02)
    assert run.evaluate(*data())["accuracy"] > 0.9
    assert run.figure == min(line["valid_loss"] for line in run.history)
    assert not run.network.training
    assert run.ended == "all 180 steps made"


def test_rows_to_judge_on_may_be_given_or_held_out() -> None:
    inputs, targets = data()
    run = fit(rows=(inputs[:150], targets[:150]), valid=(inputs[150:], targets[150:]))
    assert run.figure == pytest.approx(run.evaluate(inputs[150:], targets[150:])["loss"], abs=1e-5)
    assert np.isfinite(fit(valid=0.5).figure)


@pytest.mark.parametrize(
    "loss",
    ["mse", "mae", "huber", lambda outputs, targets: (outputs - targets).abs().mean()],
    ids=["mse", "mae", "huber", "own"],
)
def test_a_loss_is_a_name_or_a_function(loss: Any) -> None:
    inputs, _ = data()
    run = fit(nn.Linear(4, 1), (inputs.numpy().astype(np.float64), inputs[:, :1].numpy()), loss=loss)
    assert set(run.evaluate(inputs, inputs[:, :1])) == {"loss"}


def test_two_classes_may_be_one_logit() -> None:
    inputs, _ = data()
    run = fit(nn.Linear(4, 1), (inputs, (inputs[:, :1] > 0).float()), loss="binary_cross_entropy", epochs=10)
    assert run.figure < 0.7


@pytest.mark.parametrize(
    "given, problem",
    [
        ({"loss": "cross_entropi"}, "no loss 'cross_entropi'. Did you mean 'cross_entropy'"),
        ({"epoch": 3}, "training: there is no setting 'epoch'. Did you mean 'epochs'"),
        ({"learning_rate": "find"}, "give `lamina.fit` a number"),
        ({"valid": 1.5}, "valid=1.5 does not do: give a share between 0 and 1"),
        ({"rows": (torch.zeros(3, 4), torch.zeros(2))}, "3 inputs and 2 targets: every row needs both"),
        ({"valid": (torch.zeros(3, 4), torch.zeros(2))}, "3 inputs and 2 targets to judge on"),
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(lamina.PlanError, match=problem):
        fit(**given)


def test_a_folder_gives_the_weights_to_the_same_module_only(tmp_path: Path) -> None:
    run = fit(out=tmp_path / "run")
    loaded = lamina.load_module(tmp_path / "run", network())
    inputs, _ = data()
    assert torch.equal(loaded(inputs), run.predict(inputs))
    with pytest.raises(lamina.RunError, match="holds the weights of a Sequential, which do not fit this Linear"):
        lamina.load_module(tmp_path / "run", nn.Linear(4, 3))
    (tmp_path / "run" / "network.safetensors").write_bytes(b"")
    with pytest.raises(lamina.RunError, match="is not the file that was written"):
        lamina.load_module(tmp_path / "run", network())


def test_an_interrupted_fit_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = fit()
    with monkeypatch.context() as patch:
        patch.setattr(Silent, "news", lambda self, news: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(lamina.Interrupted, match="Everything is saved in .*the same call goes on"):
            fit(out=tmp_path / "run")
    resumed = fit(out=tmp_path / "run")
    inputs, _ = data()
    assert torch.equal(resumed.predict(inputs), straight.predict(inputs))


def pictures() -> tuple[Tensor, Tensor]:
    """Random pictures whose class is whether they are bright on the left."""
    inputs = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return inputs, (inputs[..., :4].mean((1, 2, 3)) > 0.5).long()


def convolutional() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 2))


@pytest.fixture
def short_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(precision, "_SECONDS", 0.01)


@pytest.mark.usefixtures("short_probe")
def test_a_module_with_filters_goes_on_the_way_it_was_found_to_be_fastest(tmp_path: Path, monkeypatch: Any) -> None:
    straight = fit(convolutional(), pictures())
    with monkeypatch.context() as patch:
        patch.setattr(Silent, "news", lambda self, news: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(lamina.Interrupted):
            fit(convolutional(), pictures(), out=tmp_path / "run")
    assert set(RunFolder(tmp_path / "run").state()["way"]) == {"precision", "layout", "threads", "filters"}
    shutil.rmtree(tmp_path / "cache")
    monkeypatch.setattr(precision, "_try", None)  # nothing is measured again
    resumed = fit(convolutional(), pictures(), out=tmp_path / "run")
    assert torch.equal(resumed.predict(pictures()[0]), straight.predict(pictures()[0]))


@pytest.mark.usefixtures("short_probe")
def test_a_module_with_wide_filters_goes_on_as_it_began(tmp_path: Path, monkeypatch: Any) -> None:
    def wide() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 128, 3), nn.ReLU(), nn.Conv2d(128, 128, 3), nn.Flatten(), nn.Linear(2048, 2))

    def tried(way: Way, *given: Any) -> tuple[float, float]:
        return 0.1 if way.filters == wanted else 0.2, 1.0

    monkeypatch.setattr(precision, "_try", tried)
    wanted = "direct"
    direct = fit(wide(), pictures(), epochs=3)
    shutil.rmtree(tmp_path / "cache")
    wanted = "winograd"
    straight = fit(wide(), pictures(), epochs=3)
    with monkeypatch.context() as patch:
        patch.setattr(Silent, "news", lambda self, news: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(lamina.Interrupted):
            fit(wide(), pictures(), epochs=3, out=tmp_path / "run")
    assert RunFolder(tmp_path / "run").state()["way"]["filters"] == "winograd"
    shutil.rmtree(tmp_path / "cache")
    wanted = "direct"
    resumed = fit(wide(), pictures(), epochs=3, out=tmp_path / "run")
    assert type(resumed.network[2]) is nn.Conv2d, "the module is given back as it came"
    answers = [run.predict(pictures()[0]) for run in (resumed, straight, direct)]
    assert torch.equal(answers[0], answers[1]) and not torch.equal(answers[1], answers[2])
    torch.testing.assert_close(answers[1], answers[2], atol=1e-3, rtol=1e-3)


@pytest.mark.usefixtures("short_probe")
def test_a_module_that_cannot_be_copied_is_trained_nevertheless() -> None:
    module = convolutional()
    module.lock = threading.Lock()
    assert np.isfinite(fit(module, pictures()).figure)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    fit(out=tmp_path / "run")
    with pytest.raises(lamina.RunError, match="holds a module that lamina.fit trained"):
        lamina.train({"a": list(range(20)), "b": list(range(20))}, predict="b", out=tmp_path / "run", quiet=True)


@pytest.mark.parametrize(
    "other, said",
    [
        ({"learning_rate": 0.5}, r"training.learning_rate 0.5 \(was 0.002\)"),
        ({"loss": "mse", "rows": (torch.zeros(30, 4), torch.zeros(30, 3))}, r"loss mse \(was cross_entropy\); rows 27"),
        ({"module": nn.Linear(4, 3)}, r"module.weight 3, 4 \(was not given\); .*; and 1 more"),
        ({"rows": (data()[0] + 1, data()[1])}, r"data [0-9a-f]{12} \(was [0-9a-f]{12}\)"),
    ],
)
def test_another_training_in_the_same_folder_is_refused_with_the_difference(
    other: dict[str, Any], said: str, tmp_path: Path
) -> None:
    fit(out=tmp_path / "run", epochs=1)
    with pytest.raises(lamina.RunError, match=said):
        fit(out=tmp_path / "run", **({"epochs": 1} | other))


def test_a_second_fit_at_the_same_time_is_kept_out(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run").locked(), pytest.raises(lamina.RunError, match="Another training is at work"):
        fit(out=tmp_path / "run")


def test_what_was_decided_on_the_way_stands_in_the_folder(tmp_path: Path) -> None:
    calls = 0

    def spoiled(outputs: Tensor, targets: Tensor) -> Tensor:
        nonlocal calls
        calls += outputs.requires_grad
        return nn.functional.cross_entropy(outputs, targets) * (torch.nan if calls == 12 else 1)

    run = fit(loss=spoiled, out=tmp_path / "run")
    state = json.loads((tmp_path / "run" / "state.json").read_text())
    (decision,) = state["decisions"]
    assert (decision["step"], decision["guard"], decision["rate_share"]) == (9, 1, pytest.approx(1 / 3))
    assert state["troubles"] == run.troubles and "back to step 9" in run.troubles[0]


class Narrow(nn.Module):
    """Answers no more rows at once than fit into its memory."""

    def __init__(self, most: int):
        super().__init__()
        self.linear, self.most = nn.Linear(4, 3), most

    def forward(self, rows: Tensor) -> Tensor:
        if len(rows) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.linear(rows)


@pytest.mark.parametrize("values, most", [(4, 1024), (20_000, 64)], ids=["small rows", "large rows"])
def test_large_rows_are_answered_a_few_together(values: int, most: int) -> None:
    network, seen = nn.Linear(values, 1), list[int]()
    network.register_forward_pre_hook(lambda module, given: seen.append(len(given[0])))
    rows = torch.randn(most + 10, values)
    answers = ModuleRun(network, functional.mse_loss, 0.0, "", []).predict(rows)
    torch.testing.assert_close(answers, network(rows))
    assert seen == [most, 10, most + 10]


def test_rows_that_do_not_fit_into_the_memory_are_answered_in_pieces() -> None:
    run, (inputs, _) = fit(Narrow(7), epochs=1), data()
    torch.testing.assert_close(run.predict(inputs), run.network.linear(inputs))  # type: ignore[operator]
    with pytest.raises(lamina.MachineError, match="A single row does not fit"):
        ModuleRun(Narrow(0), run.loss, 0.0, "", []).predict(inputs)


@pytest.mark.parametrize("rows", [0, 1, 1024, 2500])
def test_answers_stand_in_the_order_of_their_rows(rows: int) -> None:
    network, inputs = nn.Linear(4, 3), torch.randn(rows, 4)
    answers = ModuleRun(network, functional.mse_loss, 0.0, "", []).predict(inputs)
    assert answers.shape == (rows, 3) and not answers.requires_grad
    torch.testing.assert_close(answers, network(inputs).detach())
