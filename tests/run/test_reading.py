from collections.abc import Callable

import numpy as np
import pytest
import torch

from lamina.data import Batch, Ragged
from lamina.data.vocabulary import FIRST
from lamina.network import Network, build_network, plan_from_plain
from lamina.outputs import Memory
from lamina.run import reading

ROWS, LONG = 90, 12


@pytest.fixture(scope="module")
def numbers() -> np.ndarray:
    return np.random.default_rng(0).integers(FIRST, FIRST + 4, ROWS * LONG).astype(np.int32)


def network(hidden: dict[str, object]) -> Network:
    facts = {"unit": "characters", "known": list("abcd"), "subwords": "", "counts": np.arange(7), "rows": ROWS}
    plan = plan_from_plain({
        "predict": ["text"],
        "inputs": {"text": {"kind": "before", "columns": ["text"], "width": 8}},
        "hidden": {"width": 16, **hidden},
        "outputs": {"text": {"kind": "next", "column": "text"}},
    })  # fmt: skip
    made = build_network(plan, {"inputs.text": facts, "outputs.text": facts}).network  # type: ignore[dict-item]
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(1.5)
    return made.eval()


LSTM = {"name": "lstm", "both_ways": False}
WINDOW = {"name": "transformer", "causal": True, "heads": 2, "window": 10, "num_layers": 2}


def collating(numbers: np.ndarray) -> Callable[[np.ndarray], Batch]:
    def collate(some: np.ndarray) -> Batch:
        values = torch.from_numpy(numbers.reshape(ROWS, LONG)[some].ravel())
        ragged = Ragged(values, torch.arange(len(some) + 1) * LONG)
        return Batch({"text": ragged}, {"text": ragged}, torch.from_numpy(some))

    return collate


def costs(made: Network, numbers: np.ndarray, rows: np.ndarray) -> torch.Tensor:
    return reading.read_on(made, collating(numbers), rows)["text"]


@pytest.mark.parametrize("hidden", [LSTM, WINDOW])
def test_lanes_side_by_side_cost_what_one_reading_from_beginning_to_end_does(
    hidden: dict[str, object], numbers: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = network(hidden)
    found = costs(made, numbers, np.arange(ROWS))
    monkeypatch.setattr(reading, "LANES", 1)
    alone = costs(made, numbers, np.arange(ROWS))
    assert found[:, 0, 1].tolist() == alone[:, 0, 1].tolist() == [LONG] * ROWS
    torch.testing.assert_close(found, alone, rtol=0.05, atol=0.05)


def test_lanes_look_up_what_one_reading_does(numbers: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    made = network(LSTM)
    memory = made.outputs["text"].memory
    assert isinstance(memory, Memory)
    memory.share.fill_(0.5)
    memory.size = 100
    found = costs(made, numbers, np.arange(ROWS))
    monkeypatch.setattr(reading, "LANES", 1)
    alone = costs(made, numbers, np.arange(ROWS))
    torch.testing.assert_close(found, alone, rtol=0.02, atol=0.02)
    memory.share.fill_(0.0)
    assert not torch.allclose(alone, costs(made, numbers, np.arange(ROWS)), rtol=0.02, atol=0.02)


def test_it_is_learned_how_much_a_text_that_repeats_itself_is_looked_up(numbers: np.ndarray) -> None:
    made = network(LSTM)
    again = np.tile(numbers[: ROWS * LONG // 3], 3)
    before = costs(made, again, np.arange(ROWS))[:, 0, 0].sum()
    reading.learn_memory(made, collating(again), np.arange(ROWS))
    assert made.outputs["text"].memory.share > 0.1
    assert costs(made, again, np.arange(ROWS))[:, 0, 0].sum() < 0.9 * before


def test_what_a_row_costs_depends_on_the_row_before_it(numbers: np.ndarray) -> None:
    made = network(LSTM)
    changed = numbers.copy()
    changed[5 * LONG - 1] = FIRST + (changed[5 * LONG - 1] - FIRST + 1) % 4
    one, other = costs(made, numbers, np.arange(8)), costs(made, changed, np.arange(8))
    assert torch.equal(one[:4], other[:4])
    assert abs(float(one[5, 0, 0] - other[5, 0, 0])) > 1e-4
    torch.testing.assert_close(costs(made, numbers, np.array([5]))[0], costs(made, changed, np.array([5]))[0])


def test_reading_on_costs_what_the_network_says_of_a_whole_text(numbers: np.ndarray) -> None:
    made = network(LSTM)
    whole = Ragged(torch.from_numpy(numbers[: 2 * LONG]), torch.tensor([0, 2 * LONG]))
    with torch.no_grad():
        at_once = made({"text": whole}, {"text": whole})["text"][0, 0]
    torch.testing.assert_close(costs(made, numbers, np.arange(2)).sum(0)[0], at_once)
