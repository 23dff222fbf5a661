"""Nothing is ever learned from held-out rows: not a mean, not a word, not a bit of a weight."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mixed_rows import TINY, Scenery, corrupted, mixed, scenery, wishes

import lamina
from lamina.data import Facts
from lamina.run import Prepared, fit_parts, fit_plan, fit_rivals, prepare_parts

Learned = dict[str, str]
"""Digest by what was learned: `facts inputs.numbers mean`, `weights hidden.0.bias`."""

CALIBRATION = ("temperature", "below", "above", "edges", "lines")
"""Buffers that validation rows are for: they make confidences honest."""


def digest(value: object) -> str:
    bytes_ = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
    return hashlib.sha256(bytes_).hexdigest()


def facts_of(facts: Mapping[str, Facts]) -> Learned:
    return {f"facts {path} {name}": digest(value) for path, each in facts.items() for name, value in each.items()}


def weights_of(prepared: Prepared) -> Learned:
    weights = fit_plan(prepared, wishes()).trained.network.state_dict()
    return {f"weights {name}": digest(value.numpy()) for name, value in weights.items()}


def baselines_of(scene: Scenery, fixed: Scenery) -> Learned:
    """What the simpler ways say of training rows, which are the same in both tables."""
    rows = fixed.prepared.split.train[:40]
    return {
        f"baseline {name} {each.name}": digest(each.scores(fixed.prepared.table, rows))
        for name, found in fit_rivals(scene.prepared, 60).items()
        for each in found.found
    }


def differing(one: Learned, other: Learned) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


@pytest.fixture(scope="module")
def honest() -> Scenery:
    return scenery(mixed())


def test_the_scene_holds_every_kind_of_column_and_part(honest: Scenery) -> None:
    kinds = {name: column.kind for name, column in honest.seen.columns.items()}
    assert kinds == {
        "area": "number", "age": "number", "place": "category", "sold": "moment", "words": "text", "photo": "image",
        "price": "number", "sort": "category",
    }  # fmt: skip
    assert {part.kind for part in honest.plan.inputs.values()} == {"number", "category", "moment", "text", "image"}
    assert min(len(honest.prepared.split.valid), len(honest.prepared.split.test)) > 40


def test_test_rows_change_no_byte_of_what_is_learned(honest: Scenery) -> None:
    other = scenery(corrupted(mixed(), "test"))
    assert not np.array_equal(
        other.prepared.blocks["inputs.photo"].values, honest.prepared.blocks["inputs.photo"].values
    )
    assert differing(facts_of(honest.prepared.facts), facts_of(other.prepared.facts)) == []
    assert differing(weights_of(honest.prepared), weights_of(other.prepared)) == []


def test_validation_rows_change_calibration_only_as_long_as_nothing_is_chosen_by_them(honest: Scenery) -> None:
    """With a single judgement, at the last step, the weights kept are those of that step whatever is found."""
    other = scenery(corrupted(mixed(), "valid"))
    assert differing(facts_of(honest.prepared.facts), facts_of(other.prepared.facts)) == []
    changed = differing(weights_of(honest.prepared), weights_of(other.prepared))
    assert changed, "calibration must notice other validation rows"
    assert {name.rpartition(".")[2] for name in changed} <= set(CALIBRATION)


@pytest.mark.parametrize("columns", [("area", "age", "place", "sold", "words"), ("photo",)], ids=["table", "pictures"])
def test_held_out_rows_change_no_answer_of_the_simpler_ways(columns: tuple[str, ...]) -> None:
    def only(data: dict[str, Any]) -> dict[str, Any]:
        return {name: data[name] for name in (*columns, "sort", "part")}

    data = mixed()
    fixed = scenery(only(data), ("sort",))
    known = baselines_of(fixed, fixed)
    assert len(known) == (2 if columns == ("photo",) else 3)
    for part in ("test", "valid"):
        assert differing(known, baselines_of(scenery(only(corrupted(data, part)), ("sort",)), fixed)) == []


def test_test_rows_do_not_decide_which_other_rows_are_for_validation() -> None:
    """Where the data names no validation rows they are cut from the others, evenly over the answers of those."""
    data = mixed(pictures=False)
    data["part"] = ["train" if part == "valid" else part for part in data["part"]]
    for predict in ("price", "sort"):
        one, other = (scenery(each, (predict,)).prepared.split for each in (data, corrupted(data, "test")))
        assert np.array_equal(one.valid, other.valid)
        assert np.array_equal(one.train, other.train)


def test_the_comparison_notices_parts_that_were_fitted_on_all_rows(honest: Scenery) -> None:
    """The same comparison, of a training that cheats: its parts look at every row."""

    def cheating(scene: Scenery) -> Prepared:
        facts = fit_parts(scene.plan, scene.prepared.table, np.arange(len(scene.prepared.table)))
        return replace(scene.prepared, facts=facts, blocks=prepare_parts(scene.plan, facts, scene.prepared.table))

    one, other = cheating(honest), cheating(scenery(corrupted(mixed(), "test")))
    changed = " ".join(differing(facts_of(one.facts), facts_of(other.facts)))
    for part in (
        "inputs.numbers",
        "inputs.categories",
        "inputs.moments",
        "inputs.words",
        "inputs.photo",
        "outputs.price",
    ):
        assert part in changed, f"{part} learned the same from other rows: the corruption does not reach it"
    assert differing(weights_of(one), weights_of(other)) != []


def test_the_comparison_notices_a_training_that_sees_test_rows(honest: Scenery) -> None:
    def cheating(scene: Scenery) -> Prepared:
        split = scene.prepared.split
        return replace(scene.prepared, split=replace(split, train=np.sort(np.concatenate([split.train, split.test]))))

    one, other = cheating(honest), cheating(scenery(corrupted(mixed(), "test")))
    assert any("weights hidden" in name for name in differing(weights_of(one), weights_of(other)))


def test_a_run_folder_holds_the_same_parts_and_weights_whatever_the_test_rows_say(tmp_path: Path) -> None:
    data = mixed(pictures=False)

    def files(name: str, data: Mapping[str, Any]) -> Learned:
        run = lamina.train(dict(data), predict="price", set=TINY, split="part", out=tmp_path / name, quiet=True)
        paths = [run.path / "plan.yaml", run.path / "network.safetensors", *sorted((run.path / "parts").iterdir())]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    one, other = files("one", data), files("other", corrupted(data, "test"))
    assert len(one) > 8
    assert differing(one, other) == []
