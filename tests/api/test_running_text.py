import json
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import lamina
from lamina.cli import app
from lamina.ground import DataError, Interrupted, PlanError
from lamina.training import loop

QUICK = {"training.steps": 150, "training.precision": "float32", "hidden.width": 48}


def book(sentences: int = 500) -> str:
    random = np.random.default_rng(0)
    words = {"who": ["Anna", "The cat", "A king"], "does": ["sees", "loves"], "whom": ["the sea", "a bird", "Paris"]}
    said = [[str(random.choice(words[part])) for part in words] for _ in range(sentences)]
    return "".join(f"{who} {does} {whom}.\n" for who, does, whom in said)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("text") / "book.txt"
    place.write_text(book(), "utf-8")
    return place


@pytest.fixture(scope="module")
def run(path: Path, tmp_path_factory: pytest.TempPathFactory) -> lamina.Run:
    return lamina.train(path, set=QUICK, out=tmp_path_factory.mktemp("runs") / "book", quiet=True)


def test_a_book_is_learned_and_judged_beside_n_grams(run: lamina.Run) -> None:
    found = run.evaluation
    metrics = found["metrics"]["text"]
    assert found["decides"] == "text.nats_per_character"
    nats = metrics["nats_per_character"]["value"]
    assert metrics["bits_per_character"]["value"] == pytest.approx(nats / math.log(2))
    assert metrics["perplexity"]["value"] == pytest.approx(math.exp(nats))
    naive, grams = (found["baselines"][name]["text"]["nats_per_character"]["value"] for name in found["baselines"])
    assert nats < 0.5 < naive and grams < naive
    assert "grams of characters" in found["verdict"]
    assert len(found["written"]["text"]) == 3 and all(len(each["text"]) == 240 for each in found["written"]["text"])
    assert "the rest the network wrote" in (run.path / "report.html").read_text("utf-8")


def test_a_run_goes_on_with_a_prompt_alike_for_a_seed(run: lamina.Run) -> None:
    text = "".join(run.write("The cat", 60, temperature=0))
    assert len(text) == 60 and "".join(lamina.load(run.path).write("The cat", 60, temperature=0)) == text
    drawn = ["".join(run.write("The cat", 40, seed=seed, temperature=1.2)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len("".join(run.write("", 5))) == 5
    assert len("".join(run.write("x✓" * 2000, 5))) == 5  # unseen characters, and longer than any stretch


def test_likely_words_are_probabilities_of_whole_words(run: lamina.Run) -> None:
    words = run.likely("The cat ", 4)
    assert words[0][0] in ("sees", "loves")
    assert sum(chance for _, chance in words) <= 1 + 1e-6
    assert [chance for _, chance in words] == sorted((chance for _, chance in words), reverse=True)
    assert all(word.startswith("lo") for word, _ in run.likely("The cat lo", 2))
    tokens = run.likely("The cat see", 3, words=False)
    assert tokens[0][0] == "s"


def test_another_text_is_judged_and_rows_are_told_what_comes_next(run: lamina.Run, tmp_path: Path) -> None:
    own, other = tmp_path / "own.txt", tmp_path / "other.txt"
    own.write_text(book(60)[:2000], "utf-8")
    other.write_text("ZQ✓ " * 300, "utf-8")
    near, far = (run.evaluate(place)["metrics"]["text"]["nats_per_character"]["value"] for place in (own, other))
    assert near < 1.5 and far > 10  # three in four characters were never met
    answers = run.predict({"text": ["The cat see", "Anna love"]})
    assert answers["text"].to_list() == ["s", "s"] and answers["text_confidence"].min() > 0.5


def test_a_finished_run_is_what_an_interrupted_one_becomes(path: Path, tmp_path: Path) -> None:
    short = {**QUICK, "training.steps": 20}
    straight = lamina.train(path, set=short, out=tmp_path / "straight", quiet=True)
    taken, advance = [], loop.Loop._advance

    def stops(self: loop.Loop) -> str | None:
        taken.append(self.step)
        if len(taken) == 12:
            self._save()
            raise Interrupted("asked to", 2, True)
        return advance(self)

    place = tmp_path / "again"
    loop.Loop._advance = stops  # type: ignore[method-assign]
    try:
        with pytest.raises(Interrupted):
            lamina.train(path, set=short, out=place, quiet=True)
    finally:
        loop.Loop._advance = advance  # type: ignore[method-assign]
    assert (place / "checkpoint").exists()
    again = lamina.train(path, set=short, out=place, quiet=True)
    assert again.evaluation["metrics"] == straight.evaluation["metrics"]
    assert (again.path / "network.safetensors").read_bytes() == (straight.path / "network.safetensors").read_bytes()


def test_the_command_streams_text_and_shows_words(run: lamina.Run) -> None:
    told = CliRunner().invoke(app, ["predict", str(run.path), "--prompt", "The cat ✓", "--length", "30"])
    assert told.exit_code == 0 and told.stdout.startswith("The cat ✓") and len(told.stdout) == 9 + 30 + 1
    assert "'✓' stood in no training row" in told.stderr
    shown = CliRunner().invoke(app, ["predict", str(run.path), "--prompt", "The cat ", "--next", "2", "--json"])
    assert [set(each) for each in json.loads(shown.stdout)] == [{"word", "probability"}] * 2


@pytest.mark.parametrize(
    "given, words",
    [
        (["--prompt", "x", "--length", "0"], "above 0"),
        (["--prompt", "x", "data.csv"], "leave out DATA"),
        (["--prompt", "x", "--temperature", "-1"], "temperature"),
    ],
)
def test_commands_that_make_no_sense_are_refused(run: lamina.Run, given: list[str], words: str) -> None:
    told = CliRunner().invoke(app, ["predict", str(run.path), *given])
    assert told.exit_code in (1, 2) and words in told.stderr


def test_a_run_of_another_kind_says_that_it_does_not_write(trained: Path) -> None:
    with pytest.raises(DataError, match="only one that was trained on running text"):
        list(lamina.load(trained).write("x"))


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"hidden.both_ways": True}, "do not look ahead"),
        ({"hidden.name": "textconv"}, "do not look ahead"),
        ({"inputs.text.kind": "tokens"}, "kind `before`"),
        ({"outputs.text.unit": "subwords", "inputs.text.unit": "characters"}, "make them the same"),
    ],
)
def test_a_network_that_would_see_the_answer_is_refused(
    path: Path, tmp_path: Path, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(PlanError, match=words):
        lamina.train(path, set=settings, out=tmp_path / "run", quiet=True)


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden.name": "transformer", "hidden.causal": True, "hidden.heads": 2, "hidden.width": 16},
        {"hidden.name": "gru", "hidden.both_ways": False, "hidden.width": 16, "training.ensemble": 1},
        {"inputs.text.unit": "subwords", "inputs.text.most": 320, "hidden.width": 16},
    ],
)
def test_other_layers_and_units_learn_through_the_same_contracts(
    path: Path, tmp_path: Path, settings: dict[str, object]
) -> None:
    run = lamina.train(path, set={**QUICK, "training.steps": 3, **settings}, out=tmp_path / "run", quiet=True)
    assert len("".join(lamina.load(tmp_path / "run").write("Anna", 12))) == 12
    assert run.evaluation["metrics"]["text"]["nats_per_character"]["value"] > 0
