from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from lamina.data import Block, Chunk, Place, Ragged
from lamina.ground import DataError, PlanError, torch_generator
from lamina.inputs import TokensInput
from lamina.inputs._sequence import FIRST, NOTHING, UNKNOWN
from lamina.inputs.tokens import TokensLayer


def chunk(*texts: str | None) -> Chunk:
    frame = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    return Chunk(np.arange(len(texts)), frame, lambda column, reference: b"")


def plan(**settings: Any) -> TokensInput:
    return TokensInput(columns=("text",), **{"least": 1, **settings})


def rows(block: Block) -> list[list[int]]:
    assert block.offsets is not None
    return [part.tolist() for part in np.split(block.values, block.offsets[1:-1])]


def test_words_keep_their_order_and_their_repetitions() -> None:
    facts = plan().fit([chunk("to be or not to be", "be quick")])
    known: Any = facts["known"]
    assert known[0] == "be"  # in both texts
    (sentence,) = rows(plan().prepare(chunk("to be or not to be"), facts))
    assert [known[number - FIRST] for number in sentence] == ["to", "be", "or", "not", "to", "be"]


def test_words_not_met_are_unknown_and_a_text_without_any_is_nothing() -> None:
    facts = plan().fit([chunk("red apple", "green pear")])
    found = rows(plan().prepare(chunk("blue apple", "", None), facts))
    assert found[0][0] == UNKNOWN and found[0][1] >= FIRST
    assert found[1:] == [[NOTHING], [NOTHING]]


DNA = ("ACGTTGCATTGCAACGTACGGTTAACCGGTAACCGGTAGCTA", "TTGCAACGTACGGTTAACCGGTAACCGGTAGCTAACGTTGCA")
CHINESE = tuple("".join(chr(0x4E00 + (17 * row + 31 * place) % 900) for place in range(40)) for row in range(30))
LONG = tuple(f"talo{number}ssanikin on hyvä" for number in range(10_000))
"""As in languages that build words of many parts: a third of the words stands nowhere else."""


@pytest.mark.parametrize(
    "texts, unit, why",
    [
        (("a short text", "another short text"), "words", "words: 33% of the words of a text stand in no other, but"),
        (("a short text", "short, a text"), "words", "words: 14% of the words"),
        (DNA, "characters", "characters: no spaces part words, and there are 4 different ones"),
        (CHINESE, "subwords", "sub-words: no spaces part words, and there are 877 different characters"),
        (LONG, "subwords", "sub-words: 33% of the words of a text stand in no other"),
    ],
)
def test_what_a_token_is_goes_by_the_texts_with_a_reason(texts: tuple[str, ...], unit: str, why: str) -> None:
    facts = plan(fold=False).fit([chunk(*texts)])
    assert facts["unit"] == unit
    assert why in str(facts["why"])
    assert plan(fold=False).build(facts).note == facts["why"]


def test_sub_words_read_what_no_training_row_holds_by_its_parts() -> None:
    settings = plan(unit="subwords", most=400)
    facts = settings.fit([chunk("low lower lowest", "new newer newest", "slow slower slowest")])
    known, unseen, strange = rows(settings.prepare(chunk("lower", "newest slowest", "Ö"), facts))
    assert len(known) < len("lower") and len(unseen) < len("newest slowest") / 2
    assert min(known + unseen + strange) >= FIRST, "every text can be written with them"
    assert settings.build(facts).vectors.num_embeddings > max(known + unseen + strange)


def test_so_many_sub_words_are_learned_as_there_is_text_for() -> None:
    texts = chunk(*(f"{number:06d} {number * 7919 % 1_000_003:06d}" for number in range(2_000)))
    few = plan(unit="subwords").build(plan(unit="subwords").fit([texts])).vectors.num_embeddings
    assert few <= 1_000
    assert (
        plan(unit="subwords", most=500).build(plan(unit="subwords", most=500).fit([texts])).vectors.num_embeddings
        <= 500
    )


def test_bytes_know_every_text() -> None:
    settings = plan(unit="bytes", fold=False)
    facts = settings.fit([chunk("abc")])
    assert rows(settings.prepare(chunk("Ö"), facts)) == [[FIRST + byte for byte in "Ö".encode()]]


def test_rare_words_share_the_unknown_one_and_no_more_than_asked_for_are_kept() -> None:
    texts = chunk("a b", "a c", "a b")
    assert plan(least=2).fit([texts])["known"] == ["a", "b"]
    assert plan(most=1).fit([texts])["known"] == ["a"]


def test_capital_letters_are_folded_unless_a_person_wants_them() -> None:
    assert plan().fit([chunk("Red red")])["known"] == ["red"]
    assert plan(fold=False).fit([chunk("Red red")])["known"] == ["Red", "red"]


def test_a_column_without_a_text_is_refused_with_the_command_that_mends_it() -> None:
    with pytest.raises(DataError, match=r"'text' holds no word .* columns\.text\.role=ignore"):
        plan().fit([chunk("", None)])


@pytest.mark.parametrize("settings", [{"width": 0}, {"most": 0}, {"forget": 1.0}, {"columns": ("a", "b")}])
def test_settings_that_do_not_do_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(PlanError):
        TokensInput(**{"columns": ("text",), **settings})


def test_forgetting_takes_a_share_of_the_tokens_for_unknown_ones_but_never_nothing() -> None:
    settings = plan(forget=0.5)
    facts = settings.fit([chunk("a b c d")])
    values = Ragged(torch.tensor([FIRST] * 1000 + [NOTHING] * 100), torch.tensor([0, 1000, 1100]))
    varied, geometry = settings.build(facts).augment(values, torch_generator("test", 0))
    assert isinstance(varied, Ragged) and geometry == {}
    assert 400 < int((varied.values[:1000] == UNKNOWN).sum()) < 600
    assert bool((varied.values[1000:] == NOTHING).all())


def test_parts_of_a_batch_forget_what_the_whole_batch_does_and_as_often_as_was_asked() -> None:
    layer = TokensLayer(TokensInput(columns=("a",), forget=0.25), 50)
    lengths = torch.randint(0, 9, (4000,), generator=torch.Generator().manual_seed(0))
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    rows = Ragged(torch.full((int(offsets[-1]),), 40), offsets)
    whole, _ = layer.augment(rows, torch_generator(1))
    cut = 1500
    first = Ragged(rows.values[: offsets[cut]], offsets[: cut + 1])
    rest = Ragged(rows.values[offsets[cut] :], offsets[cut:] - offsets[cut])
    parts = [
        layer.augment(part, torch_generator(1), Place(0, start, 4000))[0] for part, start in ((first, 0), (rest, cut))
    ]
    assert torch.equal(torch.cat([part.values for part in parts]), whole.values)  # type: ignore[union-attr]
    forgotten = whole.values != 40  # type: ignore[union-attr]
    assert abs(float(forgotten.float().mean()) - 0.25) < 0.015  # 16,000 tokens: four standard deviations
    neighbours = forgotten[:-1] & forgotten[1:]
    assert abs(float(neighbours.float().mean()) - 0.25**2) < 0.01, "tokens are forgotten apart from each other"
