"""Tokens of a published encoder: those of its folder, in windows that it can read."""

import json
from pathlib import Path

import pytest
import tokenizers
from hidden import tiny_bert
from hidden.tiny_bert import PLACES, WORDS

from lamina.data.published_tokens import PublishedTokens
from lamina.data.vocabulary import FIRST
from lamina.ground import PlanError, RunError


def named(found: PublishedTokens, text: str) -> list[str]:
    return [WORDS[number - FIRST] for number in found.numbers(text)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_bert.write(tmp_path)
    return tmp_path


def test_texts_are_parted_as_the_folder_says(folder: Path) -> None:
    found = PublishedTokens.read(str(folder))
    assert named(found, "The FILM is unkind, very.") == [
        "[CLS]", "the", "film", "is", "un", "##kind", "[UNK]", "very", ".", "[SEP]"
    ]  # fmt: skip
    assert named(found, "") == ["[CLS]", "[SEP]"]
    assert found.size == FIRST + len(WORDS)


@pytest.mark.parametrize("words", [1, PLACES - 2, PLACES - 1, 3 * PLACES])
def test_long_texts_are_cut_into_windows_and_nothing_is_lost(words: int, folder: Path) -> None:
    found = named(PublishedTokens.read(str(folder)), "good " * words)
    assert found.count("good") == words
    windows = [found[start : start + PLACES] for start in range(0, len(found), PLACES)]
    assert all(window[0] == "[CLS]" and window[-1] == "[SEP]" for window in windows)
    assert len(windows) == -(-words // (PLACES - 2))


def test_a_run_keeps_the_tokens_without_the_folder(folder: Path) -> None:
    found = PublishedTokens.read(str(folder))
    again = PublishedTokens.of(json.loads(json.dumps(found.facts())))
    assert again.numbers("a very good film").tolist() == found.numbers("a very good film").tolist()
    with pytest.raises(RunError, match="damaged"):
        PublishedTokens("{", (2, 3), 10)


@pytest.mark.parametrize("small", [True, False])
def test_a_list_of_words_does_as_berts_first_folders_have_it(small: bool, folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": small}))
    found = PublishedTokens.read(str(folder))
    assert named(found, "Good film") == ["[CLS]", "good" if small else "[UNK]", "film", "[SEP]"]


def test_what_cannot_be_read_is_refused_in_words(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(PlanError, match=r"tokenizer.json cannot be read"):
        PublishedTokens.read(str(folder))
    tokenizers.Tokenizer(tokenizers.models.BPE()).save(str(folder / "tokenizer.json"))
    with pytest.raises(PlanError, match="puts 0 tokens around a text"):
        PublishedTokens.read(str(folder))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(PlanError, match=r"lacks tokenizer.json or vocab.txt"):
        PublishedTokens.read(str(folder))
    with pytest.raises(PlanError, match="is no folder"):
        PublishedTokens.read(str(folder / "model.safetensors"))
