from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mixed_rows import Scenery, mixed, scenery

from lamina.ground import DataError, RunError
from lamina.run import fit_parts, load_facts, prepare_parts, save_facts


@pytest.fixture(scope="module")
def scene() -> Scenery:
    return scenery(mixed(60))


def test_facts_come_back_as_they_were_saved(scene: Scenery, tmp_path: Path) -> None:
    facts = scene.prepared.facts
    save_facts(tmp_path / "parts", facts)
    loaded = load_facts(tmp_path / "parts", scene.plan)
    assert loaded.keys() == facts.keys() == {
        "inputs.numbers", "inputs.categories", "inputs.moments", "inputs.words", "inputs.photo",
        "outputs.price", "outputs.sort",
    }  # fmt: skip
    for path, learned in facts.items():
        assert loaded[path].keys() == learned.keys()
        for name, value in learned.items():
            assert type(loaded[path][name]) is type(value)
            assert np.array_equal(np.asarray(loaded[path][name]), np.asarray(value)), f"{path} {name}"


@pytest.mark.parametrize("damage", ["{", None])
def test_facts_that_are_missing_or_damaged_are_named(scene: Scenery, tmp_path: Path, damage: str | None) -> None:
    save_facts(tmp_path, scene.prepared.facts)
    (tmp_path / "inputs.words.json").unlink()
    if damage:
        (tmp_path / "inputs.words.json").write_text(damage)
    with pytest.raises(RunError, match=r"inputs\.words"):
        load_facts(tmp_path, scene.plan)


def test_parts_look_at_the_rows_that_they_are_given_only(scene: Scenery) -> None:
    rows = scene.prepared.split.train
    table = scene.prepared.table
    alone = fit_parts(scene.plan, table.take(rows), np.arange(len(rows)))
    assert repr(alone["outputs.price"]) == repr(fit_parts(scene.plan, table, rows)["outputs.price"])
    everything = fit_parts(scene.plan, table, np.arange(len(table)))
    assert repr(alone["outputs.price"]) != repr(everything["outputs.price"])


def test_a_part_without_anything_to_learn_from_is_named(scene: Scenery) -> None:
    rows = scene.prepared.split.train
    same = rows[[scene.prepared.table.frame["sort"][int(row)] == "dear" for row in rows]]
    with pytest.raises(DataError, match=r"outputs\.sort: .*'dear'"):
        fit_parts(scene.plan, scene.prepared.table, same)


def test_cells_are_prepared_once_as_long_as_what_they_depend_on_is_the_same(scene: Scenery) -> None:
    told: dict[str, int] = {}
    facts = scene.prepared.facts
    prepare_parts(scene.plan, facts, scene.prepared.table, lambda what, done, total: told.update({what: done}))
    assert told == {}
    other = dict(facts) | {"outputs.price": {**facts["outputs.price"], "least": -1.0}}
    prepare_parts(scene.plan, other, scene.prepared.table, lambda what, done, total: told.update({what: done}))
    assert told == {"outputs.price": 60}


def test_another_setting_of_a_picture_that_changes_no_pixel_prepares_nothing(scene: Scenery) -> None:
    told: list[str] = []
    mirrored = replace(scene.plan, inputs={"photo": replace(scene.plan.inputs["photo"], mirror=True)}, outputs={})  # type: ignore[call-arg]
    prepare_parts(mirrored, scene.prepared.facts, scene.prepared.table, lambda what, done, total: told.append(what))
    assert told == []
