import math
import subprocess
import sys

import pytest
import torch

from lamina.outputs import Memory


def even(places: int, vocabulary: int) -> torch.Tensor:
    return torch.full((1, places, vocabulary), -math.log(vocabulary))


def test_what_followed_a_place_like_this_becomes_likely() -> None:
    memory = Memory(100)
    memory.share.fill_(0.5)
    a, b = torch.eye(2)
    values, numbers = torch.stack([a, b, b, a])[None], torch.tensor([[0, 3, 2, 1]])  # 3 follows the first place
    blended, _ = memory(even(4, 4), values, numbers, None)
    assert blended[0, 3, 3] == pytest.approx(math.log(0.5 * 0.25 + 0.5), abs=1e-4)
    torch.testing.assert_close(blended.exp().sum(-1), torch.ones(1, 4))
    torch.testing.assert_close(blended[0, 0], even(4, 4)[0, 0])  # nothing was read before


@pytest.mark.parametrize("size, known", [(2, False), (3, True)])
def test_only_so_many_tokens_are_looked_among(size: int, known: bool) -> None:
    memory = Memory(size)
    memory.share.fill_(0.5)
    a, b, c = torch.eye(3)
    values, numbers = torch.stack([a, b, c, a])[None], torch.tensor([[0, 3, 2, 2]])
    blended, (places, kept) = memory(even(4, 4), values, numbers, None)
    assert bool(blended[0, 3, 3] > math.log(0.3)) == known
    assert places.shape[1] == kept.shape[1] == size + 1


@pytest.mark.parametrize("repeats", [True, False])
def test_it_counts_where_a_text_repeats_itself_and_not_otherwise(repeats: bool) -> None:
    torch.manual_seed(0)
    count, vocabulary = 400, 20
    kinds = torch.randint(50, (count,))
    values = torch.randn(50, 16)[kinds]
    followers = torch.randint(vocabulary, (50,))[kinds] if repeats else torch.randint(vocabulary, (count,))
    memory = Memory(300)
    said = torch.full((count,), -math.log(vocabulary))
    memory.learn(said, values, followers)
    assert float(memory.share) > 0.5 if repeats else float(memory.share) < 0.1


def test_places_that_are_not_like_the_present_one_count_for_little() -> None:
    memory = Memory(100)
    memory.share.fill_(0.5)
    a, b = torch.eye(2)
    values, numbers = torch.stack([a, b])[None], torch.tensor([[0, 3]])  # 3 follows another place, the only one there
    blended, _ = memory(even(2, 4), values, numbers, None)
    assert blended[0, 1, 3] < math.log(0.27)


def test_it_learns_without_the_compiler_of_pytorch() -> None:
    """Importing it takes as long as importing PyTorch itself, and 70 MiB."""
    code = (
        "import sys, torch\n"
        "from lamina.outputs import Memory\n"
        "Memory(9).learn(torch.full((40,), -1.0), torch.randn(40, 4), torch.arange(40) % 3)\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
