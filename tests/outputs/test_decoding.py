import math
from itertools import islice

import numpy as np
import pytest
import torch

from lamina.ground import PlanError, numpy_generator
from lamina.outputs import Sampling, write
from lamina.outputs.decoding import beam_search

SCORES = np.log(np.array([0.5, 0.3, 0.15, 0.05, 1e-30], dtype=np.float32))


def wheel(token: int) -> np.ndarray:
    """Writes 0 1 2 3 0 1 2 3: the next token is nearly sure."""
    chances = np.full(4, 0.01)
    chances[(token + 1) % 4] = 0.97
    return np.log(chances)


def drawn(sampling: Sampling, times: int = 2000, recent: tuple[int, ...] = ()) -> list[float]:
    generator = numpy_generator("decoding")
    found = [sampling.choose(SCORES, recent, generator) for _ in range(times)]
    return [found.count(token) / times for token in range(5)]


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    assert drawn(Sampling(temperature=1)) == pytest.approx([0.5, 0.3, 0.15, 0.05, 0], abs=0.04)


@pytest.mark.parametrize(
    "sampling, possible",
    [
        (Sampling(temperature=0), {0}),
        (Sampling(temperature=1, top_k=2), {0, 1}),
        (Sampling(temperature=1, top_p=0.6), {0, 1}),
        (Sampling(temperature=1, top_p=0.5), {0}),
        (Sampling(temperature=1, top_p=0.01), {0}),
        (Sampling(temperature=1), {0, 1, 2, 3}),
    ],
)
def test_only_what_a_setting_leaves_is_drawn(sampling: Sampling, possible: set[int]) -> None:
    assert {token for token, share in enumerate(drawn(sampling)) if share} == possible


def test_a_low_temperature_prefers_the_likely_and_repetition_holds_back_what_was_written() -> None:
    assert drawn(Sampling(temperature=0.5))[0] > drawn(Sampling(temperature=1))[0] > drawn(Sampling(temperature=2))[0]
    assert Sampling(temperature=0, repetition=2.0).choose(SCORES, [0], numpy_generator("any")) == 1


@pytest.mark.parametrize(
    "settings", [{"temperature": -1}, {"temperature": math.nan}, {"top_k": -1}, {"top_p": 0}, {"repetition": 0.5}]
)
def test_settings_that_do_not_do_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(PlanError):
        Sampling(**settings)  # type: ignore[arg-type]


def test_writing_goes_on_until_an_end_is_drawn_and_a_seed_gives_the_same() -> None:
    def written(ends: frozenset[int], temperature: float = 0.0) -> list[int]:
        sampling = Sampling(temperature=temperature)
        return list(islice(write(wheel(3), wheel, sampling, numpy_generator("wheel"), ends), 10))

    assert written(frozenset()) == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert written(frozenset({3})) == [0, 1, 2]
    assert written(frozenset(), 3.0) == written(frozenset(), 3.0) != written(frozenset())


CHANCES = {(): [0, 0.6, 0.4, 0], (1,): [0.0, 0.34, 0.33, 0.33], (2,): [0.01, 0.0, 0.0, 0.99]}


class Tree:
    """Three tokens and an end: 1 begins likelier than 2, but only 2 goes on to something sure."""

    def step(
        self, state: tuple[torch.Tensor, ...], last: torch.Tensor
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        (written,) = state
        grown = torch.cat([written, last[:, None]], 1)
        chances = [CHANCES.get(tuple(row[1:].tolist()), [0.25, 0.25, 0.25, 0.25]) for row in grown]
        return torch.tensor(chances).log(), (grown,)


def test_beams_find_what_the_likeliest_next_token_misses() -> None:
    def found(beams: int) -> tuple[list[int], float]:
        start = (torch.zeros(2, 0, dtype=torch.long),)
        answers = beam_search(Tree(), start, torch.tensor([0, 0]), beams, [4, 4], end=3)
        assert answers[0] == answers[1]
        return answers[0]

    assert found(1)[0][0] == 1
    tokens, chance = found(2)
    assert tokens == [2] and chance == pytest.approx((0.4 * 0.99) ** 0.5, rel=1e-4)


def test_an_answer_without_an_end_is_cut_at_the_longest() -> None:
    class Endless:
        def step(
            self, state: tuple[torch.Tensor, ...], last: torch.Tensor
        ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
            return torch.tensor([[0.9, 0.1, 0.0]]).log().expand(len(last), 3), state

    ((tokens, _),) = beam_search(Endless(), (torch.zeros(1, 1),), torch.tensor([0]), 2, [5], end=2)
    assert tokens == [0] * 5
