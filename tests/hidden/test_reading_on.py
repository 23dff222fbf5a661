"""Causal layers: no token sees those behind it, and reading on gives what reading at once does."""

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


@pytest.mark.parametrize("name", CAUSAL)
@pytest.mark.parametrize("settings", [{}, {"window": 5}, {"window": 1}, {"activation": "relu"}], ids=str)
@torch.no_grad()
def test_layers_made_ready_go_on_as_they_did_before(name: str, settings: dict[str, object]) -> None:
    if settings and name != "transformer":
        pytest.skip("a setting of transformers")
    made, values = layer(name, **settings), torch.randn(3, 12, 8)
    for parameter in made.parameters():
        parameter.add_(torch.randn_like(parameter) / 8)  # norms that multiply and shift
    ready, states, first = made.ready(), [None, None], 0
    for size in (4, 1, 1, 1, 2, 1, 1, 1):
        piece = tokens(values[:, first : first + size])
        (plain, states[0]), (quick, states[1]) = made.go_on(piece, states[0]), ready(piece, states[1])
        torch.testing.assert_close(quick.values, plain.values, rtol=1e-4, atol=1e-5)
        for mine, theirs in zip(states[1], states[0], strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
        first += size


@torch.no_grad()
def test_a_transformer_goes_on_past_the_places_whose_rotation_it_has_worked_out(monkeypatch) -> None:
    monkeypatch.setattr("lamina.hidden._steps._PLACES", 3)
    made, values = layer("transformer"), torch.randn(1, 10, 8)
    state, ready, found = None, made.ready(), []
    for piece in values.split(1, 1):
        features, state = ready(tokens(piece), state)
        found.append(features.values)
    torch.testing.assert_close(torch.cat(found, 1), made(tokens(values)).values, rtol=1e-4, atol=1e-5)


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
    assert not made.causal
    with pytest.raises(TypeError, match="looks ahead"):
        made.go_on(tokens(torch.randn(1, 2, 8)), None)
