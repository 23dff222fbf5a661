"""The way that layers compute is measured once and then remembered."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from lamina.data import Batch
from lamina.losses import Loss
from lamina.network import TrainingPlan
from lamina.training import Choice, Update, Way, choose_way, make_update, possible_ways, precision


class Small(nn.Module):
    """A learner with a filter, so that layouts differ; `wide` changes its shapes."""

    def __init__(self, wide: int = 4):
        super().__init__()
        self.filter = nn.Conv2d(1, wide, 3)
        self.out = nn.Linear(wide, 1)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        return batch

    def forward(self, inputs: dict[str, torch.Tensor], targets: object = None) -> dict[str, torch.Tensor]:
        return {"y": self.out(self.filter(inputs["x"]).mean((2, 3)))}

    def loss(self, raw: dict[str, torch.Tensor], batch: Batch) -> Loss:
        target = batch.targets["y"]
        assert isinstance(target, torch.Tensor)
        return Loss(((raw["y"] - target) ** 2).sum(), float(len(batch)))


def update_of(module: nn.Module) -> Update:
    return make_update(module, TrainingPlan(), 1e-3)


def chosen(network: nn.Module, numbers: str = "auto") -> Choice:
    batch = Batch({"x": torch.randn(8, 1, 8, 8)}, {"y": torch.randn(8, 1)}, torch.arange(8))
    return choose_way(network, update_of, batch, torch.device("cpu"), numbers)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path))
    monkeypatch.setattr(precision, "_SECONDS", 0.01)
    return tmp_path


def test_two_trainings_of_a_network_get_the_same_answer_from_one_measurement(cache: Path) -> None:
    network = Small()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first = chosen(network)
    (kept,) = (cache / "ways").iterdir()
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"reason": "as remembered"}))
    assert chosen(network).reason == "as remembered"
    assert chosen(network).tried == first.tried.copy() and set(first.tried) >= {"float32 contiguous"}
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_another_network_or_precision_is_measured_anew(cache: Path) -> None:
    for network, numbers in ((Small(), "auto"), (Small(wide=8), "auto"), (Small(), "bfloat16")):
        chosen(network, numbers)
    assert len(list((cache / "ways").iterdir())) == 3


def test_a_damaged_answer_is_measured_again(cache: Path) -> None:
    first = chosen(Small())
    (kept,) = (cache / "ways").iterdir()
    for damage in ('{"way":', '{"way": {"precision": 3}}', "[]"):
        kept.write_text(damage)
        assert chosen(Small()).tried.keys() == first.tried.keys()
        assert json.loads(kept.read_text())["tried"]


PLAIN, LAST = Way("float32", "contiguous"), Way("float32", "channels_last")
HALF = Way("bfloat16", "channels_last")
WINOGRAD = Way("float32", "channels_last", filters="winograd")


@pytest.mark.parametrize(
    "seconds, best, why",
    [
        ({PLAIN: 1.0, LAST: 0.95}, LAST, "1.05 times as fast as float32 contiguous"),
        ({PLAIN: 1.0, LAST: 0.99}, PLAIN, "no other way was enough faster"),
        ({PLAIN: 1.0, LAST: 1.2}, PLAIN, "the fastest of those tried"),
        ({PLAIN: 1.0, LAST: 0.95, HALF: 0.9}, LAST, "1.05 times as fast as float32 contiguous"),
        ({PLAIN: 1.0, LAST: 0.95, HALF: 0.5}, HALF, "2.00 times as fast as float32 contiguous"),
        ({PLAIN: 1.0}, PLAIN, "the only way that fits"),
        ({PLAIN: 1.0, LAST: 0.8, WINOGRAD: 0.79}, LAST, "1.25 times as fast as float32 contiguous"),
        ({PLAIN: 1.0, LAST: 0.9, WINOGRAD: 0.8}, WINOGRAD, "1.25 times as fast as float32 contiguous"),
    ],
)
def test_a_layout_is_taken_for_little_and_other_numbers_for_more(
    seconds: dict[Way, float], best: Way, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "possible_ways", lambda *given: list(seconds))
    monkeypatch.setattr(precision, "may_take_one_thread", lambda device: False)
    monkeypatch.setattr(precision, "_try", lambda way, *given: (seconds[way], 1.0))
    found = chosen(Small())
    assert (found.way, found.reason, found.step_seconds) == (best, why, seconds[best])


def test_what_slows_one_turn_down_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    took = iter([0.001, 0.003, 0.001, 0.0008])  # the second way was met by a busy moment in the first turn
    monkeypatch.setattr(precision, "may_take_one_thread", lambda device: False)
    monkeypatch.setattr(precision, "_try", lambda way, *given: (next(took), 1.0))
    assert chosen(Small(), "float32").way == LAST


@pytest.mark.parametrize("step, again", [(1.0, [LAST, HALF]), (0.005, [PLAIN, LAST, HALF])], ids=["long", "short"])
def test_what_is_far_slower_is_not_tried_again_where_steps_are_long(
    step: float, again: list[Way], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Way] = []
    seconds = {PLAIN: step, LAST: 0.7 * step, HALF: 0.8 * step}

    def tried(way: Way, *given: object) -> tuple[float, float]:
        asked.append(way)
        return seconds[way], 1.0

    monkeypatch.setattr(precision, "possible_ways", lambda *given: list(seconds))
    monkeypatch.setattr(precision, "may_take_one_thread", lambda device: False)
    monkeypatch.setattr(precision, "_try", tried)
    assert chosen(Small()).way == LAST
    assert asked == [PLAIN, LAST, HALF, *again]


def test_numbers_that_lead_elsewhere_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "possible_ways", lambda *given: [PLAIN, HALF])
    monkeypatch.setattr(precision, "may_take_one_thread", lambda device: False)
    monkeypatch.setattr(precision, "_try", lambda way, *given: (0.1, 5.0) if way == HALF else (1.0, 1.0))
    found = chosen(Small())
    assert found.way == PLAIN and found.reason == "a faster way did not agree in the loss"


def test_a_way_that_fails_drops_out_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def tried(way: Way, *given: object) -> tuple[float, float]:
        if way == HALF:
            raise RuntimeError("no kernel for these numbers\nand where it was")
        return {PLAIN: 1.0, LAST: 0.8}[way], 1.0

    monkeypatch.setattr(precision, "possible_ways", lambda *given: [PLAIN, HALF, LAST])
    monkeypatch.setattr(precision, "may_take_one_thread", lambda device: False)
    monkeypatch.setattr(precision, "_try", tried)
    found = chosen(Small())
    assert found.way == LAST and set(found.tried) == {str(PLAIN), str(LAST)}
    assert found.reason == ("1.25 times as fast as float32 contiguous; "
                            "bfloat16 channels_last did not work: no kernel for these numbers")  # fmt: skip


def test_a_network_that_fails_the_plain_way_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def tried(way: Way, *given: object) -> tuple[float, float]:
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(precision, "_try", tried)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        chosen(Small())


class Steep(nn.Module):
    """Learns how steep its own answer is, which takes a gradient of gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = nn.Conv2d(128, 128, 3, padding=1)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        return batch

    def forward(self, inputs: dict[str, torch.Tensor], targets: object = None) -> dict[str, torch.Tensor]:
        given = inputs["x"].requires_grad_()
        (slope,) = torch.autograd.grad(self.filter(given).square().sum(), given, create_graph=True)
        return {"y": slope}

    def loss(self, raw: dict[str, torch.Tensor], batch: Batch) -> Loss:
        return Loss(raw["y"].square().mean(), 1.0)


def test_a_loss_with_gradients_of_gradients_is_learned_directly() -> None:
    torch.manual_seed(0)
    batch = Batch({"x": torch.randn(2, 128, 16, 16)}, {}, torch.arange(2))
    found = choose_way(Steep(), update_of, batch, torch.device("cpu"), "float32")
    assert found.way.filters == "direct" and str(WINOGRAD) not in found.tried
    assert "float32 channels_last winograd did not work" in found.reason


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    "alone, together, threads",
    [(0.001, 0.003, 1), (0.001, 0.0011, 0), (0.003, 0.001, 0), (0.04, 0.1, 0)],
    ids=["waiting costs most", "no gain worth it", "both are faster", "too long a step to give a core away"],
)
def test_small_steps_are_taken_on_one_thread_where_that_is_faster(
    alone: float, together: float, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tried(way: Way, *given: object) -> tuple[float, float]:
        return (alone if way.threads else together), 1.0

    monkeypatch.setattr(precision, "_try", tried)
    found = chosen(Small())
    assert found.way.threads == threads and found.step_seconds == (alone if threads else together)
    assert found.tried["float32 contiguous 1 thread"] == alone
    assert ("one thread is" in found.reason) == bool(threads)


@pytest.mark.usefixtures("two_threads")
def test_one_thread_is_given_up_after_a_step_that_is_far_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: dict[int, int] = {1: 0, 2: 0}

    def slow_alone(*given: object) -> dict[str, float]:
        steps[torch.get_num_threads()] += 1
        time.sleep(0.1 if torch.get_num_threads() == 1 else 0)
        return {"loss": 1.0}

    monkeypatch.setattr(precision, "take_step", slow_alone)
    found = chosen(Small())
    assert found.way.threads == 0 and steps[1] == 2, "one to warm up, and one that was measured"
    assert steps[2] >= 3


@pytest.mark.usefixtures("two_threads")
def test_a_way_takes_its_threads_and_gives_them_back() -> None:
    with pytest.raises(KeyError), Way("float32", "contiguous", 1).at_work():
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == 2
    with Way("float32", "contiguous").at_work():
        assert torch.get_num_threads() == 2


def test_wide_filters_are_also_tried_with_fewer_multiplications() -> None:
    wide, narrow = nn.Conv2d(128, 128, 3), nn.Conv2d(64, 128, 3)
    cpu = torch.device("cpu")
    assert WINOGRAD in possible_ways(nn.Sequential(narrow, wide), cpu, "auto")
    assert WINOGRAD not in possible_ways(nn.Sequential(narrow), cpu, "auto")
    assert WINOGRAD not in possible_ways(wide, cpu, "bfloat16") + possible_ways(wide, torch.device("cuda"), "float32")
    assert str(WINOGRAD) == "float32 channels_last winograd"


def test_a_network_computes_a_way_while_it_is_at_work() -> None:
    torch.manual_seed(0)
    wide = nn.Sequential(nn.Conv2d(128, 128, 3, padding=1)).to(memory_format=torch.channels_last)
    pictures = torch.randn(8, 128, 8, 8)
    direct = wide(pictures)
    with WINOGRAD.at_work(wide):
        found = wide(pictures)
    assert not torch.equal(found, direct), "it was computed otherwise"
    torch.testing.assert_close(found, direct, atol=1e-4, rtol=1e-4)
    assert torch.equal(wide(pictures), direct)
