"""Texts to a bag of phrases."""

import math
from collections.abc import Iterable

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from lamina.data.batch import Block, Chunk, Ragged
from lamina.ground.config import from_plain, to_plain
from lamina.ground.errors import DataError, PlanError
from lamina.inputs._phrases import BUCKETS
from lamina.inputs.text import TextBagInput, TextBagLayer

TEXTS = [
    "a playful cat",
    "A playful dog!",
    "the old dog sleeps",
    "don't feed the cat",
    "a cat, a dog",
    "the dog",
    "",
] * 3


def chunks(texts: list[str | None], size: int = 1000, **more: list[str | None]) -> Iterable[Chunk]:
    columns = {"text": texts, **more}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    for start in range(0, max(1, len(frame)), size):
        part = frame[start : start + size]
        yield Chunk(np.arange(start, start + len(part)), part, lambda column, reference: b"")


def made(texts: list[str | None], **settings: object) -> tuple[TextBagLayer, Ragged]:
    torch.manual_seed(0)
    plan = TextBagInput(columns=("text",), **{"least": 2, "letters": None} | settings)
    facts = plan.fit(chunks(texts))
    return plan.build(facts), ragged(plan.prepare(next(chunks(texts)), facts))


def ragged(block: Block) -> Ragged:
    assert block.offsets is not None and not block.problems
    return Ragged(torch.from_numpy(block.values), torch.from_numpy(block.offsets))


def test_a_text_becomes_one_vector_and_every_vector_learns() -> None:
    layer, values = made(TEXTS, width=5)
    answer = layer(values)
    assert answer.form == "vector"
    assert answer.values.shape == (len(TEXTS), 6) and layer.shape.width == 6
    answer.values.square().sum().backward()
    assert (layer.vectors.grad.abs().sum(1) > 0).all()


@pytest.mark.parametrize("words", [1, 2, 3])
def test_phrases_weigh_what_scikit_learn_says(words: int) -> None:
    layer, values = made(TEXTS, words=words, width=40)
    reference = TfidfVectorizer(
        token_pattern=r"\w+(?:'\w+)*|[^\w\s]", ngram_range=(1, words), min_df=2, binary=True
    ).fit_transform(TEXTS)  # fmt: skip
    assert layer.vectors.shape[0] == reference.shape[1]
    with torch.no_grad():  # a vector per phrase that is 1 at the phrase's place shows the weights
        layer.vectors = torch.nn.Parameter(torch.eye(layer.vectors.shape[0]))
        weights = layer(values).values[:, :-1].numpy()
    np.testing.assert_allclose(np.sort(weights, 1), np.sort(reference.toarray(), 1), atol=1e-5)


def test_words_are_the_same_in_capitals() -> None:
    plan = TextBagInput(columns=("text",), least=1, letters=None)
    facts = plan.fit(chunks(["Don't feed the CAT!", "other words"]))
    same = plan.prepare(next(chunks(["don't feed the cat!"])), facts)
    again = plan.prepare(next(chunks(["DON'T FEED THE CAT!"])), facts)
    np.testing.assert_array_equal(same.values, again.values)
    assert len(same) == 1 and len(same.values) == 9  # four words, a mark, and four pairs


def test_parts_of_words_count_beside_words() -> None:
    plan = TextBagInput(columns=("text",), least=1, letters=(2, 3))
    facts = plan.fit(chunks(["ab ab", "xyz xyz"]))
    known = plan.prepare(next(chunks(["ab", "abz", "yz", "q"])), facts)
    # A word has a mark at either end: <ab> is a word with <a ab b> <ab ab>; abz shares <a ab <ab, and z> with xyz.
    assert np.diff(known.offsets).tolist() == [6, 4, 3, 0]


def test_words_and_their_parts_are_each_brought_to_length_1() -> None:
    layer, values = made(TEXTS, letters=(2, 5), width=300)
    count = layer.vectors.shape[0]
    with torch.no_grad():
        layer.vectors = torch.nn.Parameter(torch.eye(count))
        weights = layer(values).values[:, :-1]
    for part in (layer.is_part, ~layer.is_part):
        assert 0 < part.sum() < count
        lengths = (weights * part).square().sum(1).sqrt()
        np.testing.assert_allclose(lengths, [1.0 if text else 0.0 for text in TEXTS], atol=1e-5)


def test_texts_without_words_are_runs_of_symbols() -> None:
    sequences = ["ACGTTGCATGCCGGATATCGGCATTAGCCGGAT", "TTGACAATTAATCATCGGCTCGTATAATGTGTGGAA"] * 3
    plan = TextBagInput(columns=("text",))
    facts = plan.fit(chunks(sequences))
    block = plan.prepare(next(chunks([sequences[0], "ACG", "acg"])), facts)
    assert facts["symbols"] and np.diff(block.offsets)[1:].tolist() == [6, 0]  # A C G AC CG ACG; small letters differ
    runs = {sequences[0][start : start + n] for n in range(1, 7) for start in range(len(sequences[0]) - n + 1)}
    assert np.diff(block.offsets)[0] == len(runs)


@pytest.mark.parametrize("text", ["", None, "#~ 27"])
def test_a_text_without_known_phrases_is_zeros_beside_its_length(text: str | None) -> None:
    plan = TextBagInput(columns=("text",), least=2, width=4)
    facts = plan.fit(chunks(TEXTS))
    answer = plan.build(facts)(ragged(plan.prepare(next(chunks([text])), facts))).values
    assert answer[0, :4].tolist() == [0] * 4 and answer[0, 4] < 0


def test_one_row_answers_as_it_does_among_many() -> None:
    layer, values = made(TEXTS)
    start, end = values.offsets[2:4].tolist()
    alone = Ragged(values.values[start:end], torch.tensor([0, end - start]))
    torch.testing.assert_close(layer(alone).values, layer(values).values[2:3])


def test_the_most_frequent_phrases_are_kept() -> None:
    plan = TextBagInput(columns=("text",), most=1, least=1, letters=None)
    facts = plan.fit(chunks(["dog barks", "dog sleeps", "dog", "cat"]))
    block = plan.prepare(next(chunks(["the dog", "the cat"])), facts)
    assert block.offsets.tolist() == [0, 1, 1]


def test_no_phrase_spans_two_columns() -> None:
    plan = TextBagInput(columns=("text", "title"), least=1, letters=None)
    facts = plan.fit(chunks(["old dog"], title=["young cat"]))
    assert len(facts["buckets"]) == 6


def test_chunks_of_any_size_teach_the_same() -> None:
    plan = TextBagInput(columns=("text",), least=2)
    once, often = plan.fit(chunks(TEXTS)), plan.fit(chunks(TEXTS, 2))
    for name in once:
        np.testing.assert_array_equal(once[name], often[name])


def test_longer_texts_say_more() -> None:
    layer, values = made(TEXTS)
    said = layer(values).values[:, -1].exp()
    torch.testing.assert_close(said / said[-1], 1.0 + values.lengths)


@pytest.mark.parametrize("texts", [["red sun", "big owl"], [None], []])
def test_texts_without_a_common_word_are_named(texts: list[str | None]) -> None:
    with pytest.raises(DataError, match=r"No word of text stands in 2 .* --set columns\.text\.role=ignore"):
        TextBagInput(columns=("text",)).fit(chunks(texts))


@pytest.mark.parametrize(
    "settings, problem",
    [({}, None), ({"width": 8, "words": 1}, None), ({"width": 0}, "width: 0"), ({"words": 0}, "words: 0"),
     ({"least": 0}, "least: 0"), ({"most": 0}, "most: 0"), ({"letters": None}, None),
     ({"letters": (3, 4)}, None), ({"letters": (4, 3)}, "letters"), ({"letters": (0, 3)}, "letters")],
)  # fmt: skip
def test_settings_survive_the_plan_and_wrong_ones_are_refused(settings: dict, problem: str | None) -> None:
    if problem:
        with pytest.raises(PlanError, match=problem):
            from_plain(TextBagInput, {"columns": ["a"], **settings}, "inputs.text")
    else:
        plan = TextBagInput(columns=("a",), **settings)
        assert from_plain(TextBagInput, to_plain(plan), "inputs.text") == plan


def test_the_weights_of_rare_phrases_are_larger() -> None:
    layer, _ = made(TEXTS)
    assert layer.rarity.min() >= 1 and layer.rarity.max() <= 1 + math.log((1 + len(TEXTS)) / 3)


def test_where_all_sequences_have_one_length_runs_count_once_more_with_their_place() -> None:
    same = [text[:34] for text in ("ACGTTGCATGCCGGATATCGGCATTAGCCGGATGC", "TTGACAATTAATCATCGGCTCGTATAATGTGTGGAA")] * 3
    plan = TextBagInput(columns=("text",))
    facts = plan.fit(chunks(same))
    assert facts["placed"] and (facts["buckets"] < BUCKETS).any()
    first, moved = (set(plan.prepare(next(chunks([text])), facts).values) for text in (same[0], "GGGG" + same[0][:30]))
    shared = np.asarray(facts["buckets"])[sorted(first & moved)]
    placed = np.asarray(facts["buckets"])[sorted(first)] < BUCKETS
    assert (shared >= BUCKETS).sum() > 0.7 * (~placed).sum()  # the same runs, four places later
    assert (shared < BUCKETS).sum() < 0.2 * placed.sum()


def test_sequences_of_differing_lengths_have_no_places() -> None:
    facts = TextBagInput(columns=("text",)).fit(
        chunks(["ACGTTGCATGCCGGATATCGGCATTAGCCGGATGC", "TTGACAATTAATCATCGG"] * 3)
    )
    assert not facts["placed"] and (facts["buckets"] >= BUCKETS).all()
