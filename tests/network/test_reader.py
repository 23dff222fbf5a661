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
    torch.testing.assert_close(torch.from_numpy(reader.pen(state)(int(numbers[0, -1]))), whole[0, -1])
    assert scores.exp().sum() == pytest.approx(1, abs=1e-5)
    costs = torch.cat(list(reader.costs(numbers)), 1)
    torch.testing.assert_close(costs[0, :, 0], -whole[0, :-1].gather(1, numbers[0, :, None])[:, 0])


def test_several_networks_foresee_by_the_mean_of_their_probabilities() -> None:
    both, numbers = [network(0), network(1)], torch.tensor([[START, 3, 4]])
    alone = [Reader(each).read(numbers, None)[0].exp() for each in both]
    scores, state = Reader(Ensemble(both)).read(numbers, None)
    torch.testing.assert_close(scores.exp(), sum(alone) / 2)
    longer, _ = Reader(Ensemble(both)).read(torch.cat([numbers, torch.tensor([[5]])], 1), None)
    torch.testing.assert_close(torch.from_numpy(Reader(Ensemble(both)).pen(state)(5)), longer[0, -1])


def test_what_was_given_is_looked_up_alike_in_windows_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    made = network()
    memory = made.outputs["text"].memory
    memory.size = 5
    memory.share.fill_(0.4)
    reader, numbers = Reader(made), torch.tensor([[3, 4, 5, 6, 3, 4, 4, 4, 6, 5]])
    with_start = torch.cat([torch.tensor([[START]]), numbers], 1)
    whole, _ = reader.read(with_start, None)
    state, found = None, []
    for window in with_start.split(3, 1):
        scores, state = reader.read(window, state)
        found.append(scores)
    torch.testing.assert_close(torch.cat(found, 1), whole)
    torch.testing.assert_close(whole.exp().sum(-1), torch.ones(1, 11))
    costs = torch.cat(list(reader.costs(numbers)), 1)
    torch.testing.assert_close(costs[0, :, 0], -whole[0, :-1].gather(1, numbers[0, :, None])[:, 0])
    assert not torch.allclose(whole, Reader(network()).read(with_start, None)[0], atol=1e-3)


def test_what_was_written_is_not_looked_up() -> None:
    made = network()
    made.outputs["text"].memory.share.fill_(0.4)
    reader = Reader(made)
    _, state = reader.start(torch.tensor([[3, 4, 5]]))
    first, after = reader.follow(state, torch.tensor([[6]]))
    assert [each.shape for each in after[-2:]] == [each.shape for each in state[-2:]]
    several, _ = reader.follow(tuple(each.expand(2, *each.shape[1:]) for each in state), torch.tensor([[6, 3], [6, 4]]))
    torch.testing.assert_close(several[:, 0], first[0].expand(2, -1))
    torch.testing.assert_close(reader.follow(after, torch.tensor([[4]]))[0][0], several[1:, 1])


@pytest.mark.parametrize("layers", ["gru", "own"])
@pytest.mark.parametrize("size, given", [(0, 3), (4, 2), (4, 9), (50, 9)], ids=str)
def test_a_pen_writes_what_following_gives(layers: str, size: int, given: int) -> None:
    """With a memory and without, shorter and longer than what was given, and where layers have no way of their own."""
    made = network().eval()
    made.outputs["text"].memory.share.fill_(0.4)
    made.outputs["text"].memory.size = size
    if layers == "own":
        made.hidden.alone = lambda: None
    reader = Reader(made)
    _, state = reader.start(torch.tensor([[3, 4, 5, 6, 3, 4, 6, 6, 5][:given]]))
    pen = reader.pen(state)
    for token in (6, 4, 3, 3):
        scores, state = reader.follow(state, torch.tensor([[token]]))
        torch.testing.assert_close(torch.from_numpy(pen(token)), scores[0, -1], rtol=1e-4, atol=1e-5)
