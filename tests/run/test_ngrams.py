import numpy as np
import pytest

from lamina.data.vocabulary import CODE_POINTS, Vocabulary
from lamina.run.ngrams import NGrams

TEXT = "the cat sat on the mat. the rat sat on the cat. " * 30


@pytest.fixture(scope="module")
def model() -> NGrams:
    return NGrams(Vocabulary.learn([TEXT], "characters", 500), TEXT, "the rat sat on the mat. ")


@pytest.mark.parametrize("before", ["", "t", "the ca", "zzz", "on the mat. the r"])
def test_what_may_follow_has_a_probability_of_one_in_all(model: NGrams, before: str) -> None:
    chances = [np.exp(-model.nats(before + letter)[-1]) for letter in model.vocabulary.known]
    unknown = np.exp(-model.nats(before + "#")[-1]) * CODE_POINTS
    assert sum(chances) + unknown == pytest.approx(1)
    assert min(chances) > 0


def test_a_text_of_the_same_kind_is_foreseen_and_another_is_not(model: NGrams) -> None:
    own, other = model.nats("the cat sat on the rat. ").mean(), model.nats("cccaaatttsssooonnn").mean()
    assert own < 1 < np.log(len(model.vocabulary.known)) < other
    assert model.order >= 2


def test_random_letters_are_not_foreseen_better_than_by_chance() -> None:
    letters = "".join(np.random.default_rng(0).choice(list("abcd"), 6000))
    model = NGrams(Vocabulary.learn([letters], "characters", 500), letters[:4000], letters[4000:5000])
    assert model.nats(letters[5000:]).mean() == pytest.approx(np.log(4), abs=0.02)
    assert model.order <= 2


def test_what_a_text_repeats_is_counted_while_it_is_read() -> None:
    words = np.random.default_rng(0).choice(["the ", "cat ", "sat ", "on ", "mat. "], 3000)
    new = "".join(np.random.default_rng(1).choice(["zebra ", "quokka ", "the ", "on "], 1200))
    known = [*"".join(words), *"zebraquokk"]
    model = NGrams(Vocabulary.learn(known, "characters", 500), "".join(words), new[:3000])
    assert model.share > 0
    mixed = model.nats(new[3000:])
    model.share = 0.0
    alone = model.nats(new[3000:])
    assert mixed[2000:].mean() < 0.7 * alone[2000:].mean()
