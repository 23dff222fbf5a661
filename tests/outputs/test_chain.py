"""Sums and best sequences, beside those of every sequence written out."""

import itertools

import pytest
import torch

from lamina.outputs.chain import Chain, best_paths

TAGS, SIZE = 3, 4
LENGTHS = (4, 2, 1)


def scene() -> tuple[Chain, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    chain = Chain(TAGS)
    for parameter in chain.parameters():
        torch.nn.init.normal_(parameter)
    there = torch.arange(SIZE) < torch.tensor(LENGTHS)[:, None]
    return chain, torch.randn(len(LENGTHS), SIZE, TAGS), there


@torch.no_grad()
def every_sequence(chain: Chain, scores: torch.Tensor, length: int) -> tuple[list[tuple[int, ...]], torch.Tensor]:
    """All sequences of tags for a text, and the logarithm of the probability of each."""
    paths = list(itertools.product(range(TAGS), repeat=length))
    totals = []
    for path in paths:
        total = chain.first[path[0]] + chain.last[path[-1]] + sum(scores[at, tag] for at, tag in enumerate(path))
        totals.append(total + sum(chain.steps[before, tag] for before, tag in itertools.pairwise(path)))
    stacked = torch.stack(totals)
    return paths, stacked - stacked.logsumexp(0)


def test_the_surprise_is_that_among_all_sequences() -> None:
    chain, scores, there = scene()
    for row, length in enumerate(LENGTHS):
        paths, log_p = every_sequence(chain, scores[row], length)
        for path, expected in list(zip(paths, log_p, strict=True))[::5]:
            tags = torch.zeros(len(LENGTHS), SIZE, dtype=torch.long)
            tags[row, :length] = torch.tensor(path)
            torch.testing.assert_close(chain.surprise(scores, there, tags)[row], -expected)


def test_probabilities_at_each_word_are_sums_over_all_sequences() -> None:
    chain, scores, there = scene()
    found = chain.log_probabilities(scores, there).exp()
    for row, length in enumerate(LENGTHS):
        paths, log_p = every_sequence(chain, scores[row], length)
        expected = torch.zeros(length, TAGS)
        for path, each in zip(paths, log_p.exp(), strict=True):
            expected[torch.arange(length), torch.tensor(path)] += each
        torch.testing.assert_close(found[row, :length], expected)


def test_padding_changes_nothing() -> None:
    chain, scores, there = scene()
    longer = torch.nn.functional.pad(scores, (0, 0, 0, 3), value=50.0)
    more = torch.nn.functional.pad(there, (0, 3))
    tags = torch.ones(len(LENGTHS), SIZE, dtype=torch.long)
    torch.testing.assert_close(
        chain.surprise(longer, more, torch.nn.functional.pad(tags, (0, 3))), chain.surprise(scores, there, tags)
    )
    torch.testing.assert_close(chain.log_probabilities(longer, more)[:, :SIZE][there],
                               chain.log_probabilities(scores, there)[there])  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_the_best_path_is_the_best_of_all_that_are_allowed(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    log_p = torch.randn(2, SIZE, TAGS, generator=generator)
    allowed = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 1, 1], [1, 0, 1]], dtype=torch.bool)
    paths = [
        path for path in itertools.product(range(TAGS), repeat=SIZE)
        if all(allowed[before, tag] for before, tag in itertools.pairwise((TAGS, *path)))
    ]  # fmt: skip
    for row, found in enumerate(best_paths(log_p, allowed).tolist()):
        totals = [sum(float(log_p[row, at, tag]) for at, tag in enumerate(path)) for path in paths]
        assert tuple(found) == paths[totals.index(max(totals))]


def test_without_anything_forbidden_each_word_has_its_likeliest_tag() -> None:
    log_p = torch.randn(2, 3, TAGS)
    assert torch.equal(best_paths(log_p, torch.ones(TAGS + 1, TAGS, dtype=torch.bool)), log_p.argmax(2))
