import numpy as np
import pytest
import torch

from lamina.data.vocabulary import START
from lamina.network import Ensemble, Network, Reader, build_network, plan_from_plain


def network(seed: int = 0) -> Network:
    facts = {"unit": "characters", "known": list("abcd"), "subwords": "", "counts": np.ones(7, np.int64), "rows": 1}
    plan = plan_from_plain({
        "predict": ["text"],
        "inputs": {"text": {"kind": "before", "columns": ["text"], "width": 8}},
        "hidden": {"name": "gru", "width": 12, "both_ways": False},
        "outputs": {"text": {"kind": "next", "column": "text"}},
        "training": {"seed": seed},
    })  # fmt: skip
    return build_network(plan, {"inputs.text": facts, "outputs.text": facts}).network  # type: ignore[dict-item]


@pytest.mark.parametrize("window", [256, 3])
def test_a_beginning_is_read_alike_in_pieces_of_any_size(monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    reader, numbers = Reader(network()), torch.tensor([[3, 4, 5, 6, 3, 4, 4, 4]])
    whole, _ = reader.read(torch.cat([torch.tensor([[START]]), numbers], 1), None)
    monkeypatch.setattr("lamina.network.reader.WINDOW", window)
    scores, state = reader.start(numbers[:, :-1])
    torch.testing.assert_close(scores, whole[:, -2])
    torch.testing.assert_close(reader.step(state, numbers[:, -1])[0], whole[:, -1])
    assert scores.exp().sum() == pytest.approx(1, abs=1e-5)
    costs = torch.cat(list(reader.costs(numbers)), 1)
    torch.testing.assert_close(costs[0, :, 0], -whole[0, :-1].gather(1, numbers[0, :, None])[:, 0])


def test_several_networks_foresee_by_the_mean_of_their_probabilities() -> None:
    both, numbers = [network(0), network(1)], torch.tensor([[START, 3, 4]])
    alone = [Reader(each).read(numbers, None)[0].exp() for each in both]
    scores, state = Reader(Ensemble(both)).read(numbers, None)
    torch.testing.assert_close(scores.exp(), sum(alone) / 2)
    torch.testing.assert_close(Reader(Ensemble(both)).step(state, torch.tensor([5]))[0].exp().sum(), torch.tensor(1.0))
