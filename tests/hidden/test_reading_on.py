"""Causal layers: no token sees those behind it, and reading on gives what reading at once does."""

import numpy as np
import pytest
import torch

from lamina.ground import Shape, tokens
from lamina.hidden import HIDDEN
from lamina.hidden.contract import HiddenLayer

CAUSAL = {
    "rnn": {"both_ways": False, "num_layers": 2},
    "gru": {"both_ways": False},
    "lstm": {"both_ways": False, "num_layers": 2},
    "transformer": {"causal": True, "heads": 2, "window": 16},
}


def layer(name: str, **more: object) -> HiddenLayer:
    torch.manual_seed(0)
    return HIDDEN[name](width=16, **(CAUSAL[name] | more)).build(Shape("tokens", 8)).eval()  # type: ignore[call-arg]


@pytest.mark.parametrize("name", CAUSAL)
@torch.no_grad()
def test_step_by_step_gives_what_all_at_once_does(name: str) -> None:
    made, values = layer(name), torch.randn(3, 12, 8)
    whole = made(tokens(values, torch.tensor([12, 12, 12]))).values
    for cuts in ([1] * 12, [5, 1, 6], [12]):
        state, found = None, []
        for piece in values.split(cuts, 1):
            features, state = made.go_on(tokens(piece), state)
            found.append(features.values)
        torch.testing.assert_close(torch.cat(found, 1), whole, rtol=1e-4, atol=1e-5)


def alone(made: HiddenLayer, values: torch.Tensor, first: int) -> torch.Tensor:
    """What is made of (tokens, width) one after the other, behind `first` of them that are read at once."""
    read, state = made.go_on(tokens(values[None, :first]), None)
    begin = made.alone()
    assert begin is not None
    step = begin(state)
    found = [torch.from_numpy(step(token).copy()) for token in values[first:].numpy()]
    return torch.cat([read.values[0], torch.stack(found)])


TRANSFORMERS = ({"window": 5}, {"window": 1}, {"window": 200}, {"activation": "relu"}, {"activation": "gelu"})


@pytest.mark.parametrize(
    "name, settings", [*((name, {}) for name in CAUSAL), *(("transformer", more) for more in TRANSFORMERS)], ids=str
)
@torch.no_grad()
def test_one_text_is_read_on_alone_as_in_a_batch(name: str, settings: dict[str, object]) -> None:
    made, values = layer(name, **settings), torch.randn(150, 8)
    for parameter in made.parameters():
        parameter.add_(torch.randn_like(parameter) / 8)  # norms that multiply and shift
    state, whole = None, []
    for piece in values[None].split(1, 1):
        features, state = made.go_on(tokens(piece), state)
        whole.append(features.values[0, 0])
    torch.testing.assert_close(alone(made, values, 4), torch.stack(whole), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CAUSAL)
@torch.no_grad()
def test_two_texts_that_go_on_from_one_state_do_not_disturb_each_other(name: str) -> None:
    made, values = layer(name), torch.randn(9, 8)
    _, state = made.go_on(tokens(values[None, :3]), None)
    begin = made.alone()
    assert begin is not None
    one, other = begin(state), begin(state)
    mine, theirs = [], []
    for token in values[3:].numpy():
        mine.append(one(token).copy())
        theirs.append(other(-token).copy())
    torch.testing.assert_close(torch.from_numpy(np.stack(mine)), alone(made, values, 3)[3:])
    torch.testing.assert_close(
        torch.from_numpy(np.stack(theirs)), alone(made, torch.cat([values[:3], -values[3:]]), 3)[3:]
    )


@torch.no_grad()
def test_a_transformer_goes_on_past_the_places_whose_rotation_it_has_worked_out(monkeypatch) -> None:
    monkeypatch.setattr("lamina.hidden._transformer_alone._PLACES", 3)
    made, values = layer("transformer"), torch.randn(10, 8)
    torch.testing.assert_close(alone(made, values, 2), made(tokens(values[None])).values[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CAUSAL)
@torch.no_grad()
def test_no_token_sees_those_behind_it(name: str) -> None:
    made, values = layer(name), torch.randn(2, 9, 8)
    changed = values.clone()
    changed[:, 6] += 1
    one, other = (made(tokens(each)).values for each in (values, changed))
    torch.testing.assert_close(one[:, :6], other[:, :6])
    assert (one[:, 6:] - other[:, 6:]).abs().amax((0, 2)).min() > 0


@torch.no_grad()
def test_a_transformer_that_reads_on_remembers_its_window_and_no_more() -> None:
    made, values = layer("transformer", window=4, num_layers=1), torch.randn(1, 40, 8)
    changed = values.clone()
    changed[:, 30] += 1
    found = []
    for each in (values, changed):
        state, read = None, []
        for piece in each.split(7, 1):
            features, state = made.go_on(tokens(piece), state)
            assert max(part.shape[2] for part in state[1:]) <= 3
            read.append(features.values)
        found.append(torch.cat(read, 1))
    apart = (found[0] - found[1]).abs().amax((0, 2)) > 1e-6
    assert apart.tolist() == [30 <= place < 34 for place in range(40)]


@pytest.mark.parametrize("name, settings", [("lstm", {"both_ways": True}), ("transformer", {"causal": False})])
def test_layers_that_look_ahead_cannot_read_on(name: str, settings: dict[str, object]) -> None:
    made = layer(name, **settings)
    assert not made.causal and made.alone() is None
    with pytest.raises(TypeError, match="looks ahead"):
        made.go_on(tokens(torch.randn(1, 2, 8)), None)
