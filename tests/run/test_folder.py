import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mixed_rows import mixed, scenery, wishes
from safetensors.torch import load_file, save_file

from lamina.ground import RunError, write_json
from lamina.run import (
    RunFolder,
    Trained,
    columns_from_plain,
    columns_to_plain,
    fit_plan,
    load_trained,
    one_batch,
    raw_scores,
    write_golden,
)
from lamina.training import same_tensors

LISTED = [
    "MANIFEST.json", "data.json", "golden.json", "network.safetensors", "plan.yaml", "state.json", "history.jsonl",
    "parts/inputs.numbers.json", "parts/inputs.numbers.safetensors", "parts/outputs.sort.json",
]  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    """A run folder of a tiny network, without figures and report, and the network that was written."""
    scene = scenery(mixed(80, pictures=False), ("sort",))
    trained = fit_plan(scene.prepared, wishes()).trained
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "run")
    folder.update_state(finished=True)
    write_json(folder / "data.json", {"columns": columns_to_plain(scene.seen.columns)})
    folder.write_plan(scene.plan)
    folder.write_network(trained)
    write_golden(folder / "golden.json", trained, one_batch(scene.prepared, scene.prepared.split.train[:2]))
    (folder / "history.jsonl").write_text('{"step": 1, "loss": 0.5}\n')
    folder.write_manifest()
    return folder.path, trained


@pytest.fixture
def run(written: tuple[Path, Trained], tmp_path: Path) -> RunFolder:
    """A copy of the run to do harm to."""
    shutil.copytree(written[0], tmp_path / "run")
    return RunFolder(tmp_path / "run")


def test_what_is_loaded_is_what_was_written(run: RunFolder, written: tuple[Path, Trained]) -> None:
    loaded, trained = load_trained(run), written[1]
    assert same_tensors(loaded.network.state_dict(), trained.network.state_dict())
    assert loaded.plan.to_plain() == trained.plan.to_plain()
    assert loaded.columns == trained.columns
    assert not loaded.network.training
    for path, facts in trained.facts.items():
        for name, value in facts.items():
            assert np.array_equal(loaded.facts[path][name], value), f"{path} {name}"
    assert run.finished


def test_a_copy_at_another_place_is_the_same_run(run: RunFolder, tmp_path: Path) -> None:
    assert load_trained(RunFolder(Path(shutil.copytree(run.path, tmp_path / "elsewhere"))))


@pytest.mark.parametrize("name", LISTED)
def test_any_flipped_bit_is_refused_in_words(run: RunFolder, name: str) -> None:
    data = (run / name).read_bytes()
    random = np.random.default_rng(len(data))
    places = {0, len(data) // 2, len(data) - 2, *random.integers(0, len(data), 12).tolist()}
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(random.integers(8))
        (run / name).write_bytes(flipped)
        with pytest.raises(RunError, match=r"damaged|not the file that was written|missing"):
            run.verify()
    (run / name).write_bytes(data)
    run.verify()


@pytest.mark.parametrize("name", ["parts/inputs.extra.safetensors", "evaluation.json"])
def test_a_file_that_came_later_is_not_read(run: RunFolder, name: str) -> None:
    (run / name).write_text("{}")
    with pytest.raises(RunError, match=f"{name.rpartition('/')[2]} does not stand in MANIFEST"):
        load_trained(run)


def test_what_a_person_lays_beside_the_files_is_left_alone(run: RunFolder) -> None:
    (run / "answers.csv").write_text("a\n1\n")
    assert load_trained(run)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_manifest_that_lost_its_end_is_refused(run: RunFolder, cut: int) -> None:
    data = (run / "MANIFEST.json").read_bytes()
    (run / "MANIFEST.json").write_bytes(data[:-cut])
    with pytest.raises(RunError, match=r"MANIFEST\.json"):
        run.verify()


def test_every_bit_of_the_manifest_counts(run: RunFolder) -> None:
    """Of its first entry: braces, name, size and digest, eight bits of each byte."""
    data = (run / "MANIFEST.json").read_bytes()
    for place in range(data.index(b"}") + 2):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            (run / "MANIFEST.json").write_bytes(flipped)
            with pytest.raises(RunError):
                run.verify()


@pytest.mark.parametrize("name", LISTED)
def test_a_file_that_is_cut_off_or_gone_is_refused_by_its_name(run: RunFolder, name: str) -> None:
    data = (run / name).read_bytes()
    (run / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(RunError, match=name.rpartition("/")[2]):
        load_trained(run)
    (run / name).unlink()
    with pytest.raises(RunError, match=name.rpartition("/")[2]):
        load_trained(run)


@pytest.mark.parametrize(
    "holds, words",
    [(None, "not there"), ((), "not a run of Lamina"), (("notes.txt",), "not a run of Lamina"),
     (("state.json",), "Run the same `lamina train` again")],
)  # fmt: skip
def test_what_is_no_finished_run_is_refused_with_what_to_do(
    tmp_path: Path, holds: tuple[str, ...] | None, words: str
) -> None:
    path = tmp_path / "run"
    for name in holds or ():
        path.mkdir(exist_ok=True)
        (path / name).write_text("{}")
    if holds == ():
        path.mkdir()
    with pytest.raises(RunError, match=words):
        load_trained(RunFolder(path))


def test_a_run_is_finished_only_when_its_manifest_is_there(run: RunFolder) -> None:
    assert run.finished
    (run / "MANIFEST.json").unlink()
    assert run.is_run and not run.finished


def test_weights_of_another_network_are_refused_even_if_the_manifest_agrees(run: RunFolder) -> None:
    weights = load_file(run / "network.safetensors")
    weights.popitem()
    save_file(weights, run / "network.safetensors")
    run.write_manifest()
    with pytest.raises(RunError, match=r"does not hold the weights"):
        load_trained(run)


def test_what_parts_of_another_version_learned_is_refused_in_words(run: RunFolder) -> None:
    path = next(path for path in sorted((run / "parts").glob("inputs.*.json")) if json.loads(path.read_text()))
    known = json.loads(path.read_text())
    write_json(path, {f"old_{name}": value for name, value in known.items()})
    run.write_manifest()
    with pytest.raises(RunError, match=r"made by another version of Lamina.*--fresh"):
        load_trained(run)


def test_weights_that_are_no_numbers_are_refused_even_if_the_manifest_agrees(run: RunFolder) -> None:
    weights = load_file(run / "network.safetensors")
    name = next(name for name in weights if name.endswith("weight"))
    weights[name].view(-1)[0] = torch.nan
    save_file(weights, run / "network.safetensors")
    run.write_manifest()
    with pytest.raises(RunError, match="not numbers"):
        load_trained(run)


def test_a_run_with_hidden_layers_of_ones_own_asks_for_them(run: RunFolder) -> None:
    run.update_state(own_hidden="MyLayers")
    run.write_manifest()
    with pytest.raises(RunError, match=r"MyLayers.*hidden=module"):
        load_trained(run)


def test_files_that_change_later_are_not_listed(run: RunFolder) -> None:
    (run / "lock").write_text("1")
    (run / "checkpoint").mkdir()
    (run / "checkpoint" / "state.json").write_text("{}")
    run.write_manifest()
    listed = json.loads((run / "MANIFEST.json").read_text())
    assert {"state.json", "parts/outputs.sort.json"} <= listed.keys()
    assert not {"lock", "checkpoint/state.json", "MANIFEST.json"} & listed.keys()


def test_a_second_training_is_kept_out_until_the_first_is_done(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run").locked():
        with pytest.raises(RunError, match=r"Another training is at work.*--out"), RunFolder(tmp_path / "run").locked():
            pytest.fail("two trainings in one folder")
        with RunFolder(tmp_path / "other").locked():
            pass
    with RunFolder(tmp_path / "run").locked():
        assert str(os.getpid()) in (tmp_path / "run" / "lock").read_text()


def test_the_state_keeps_what_is_not_changed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.update_state(seed=1, finished=False)
    folder.update_state(finished=True)
    assert folder.state() == {"seed": 1, "finished": True}
    (folder / "state.json").write_text("{")
    with pytest.raises(RunError, match=r"state\.json"):
        folder.state()


def test_columns_go_to_plain_values_and_back(written: tuple[Path, Trained]) -> None:
    columns = written[1].columns
    assert columns_from_plain(json.loads(json.dumps(columns_to_plain(columns)))) == columns


def test_a_loaded_network_scores_rows_as_it_did(run: RunFolder, written: tuple[Path, Trained]) -> None:
    scene = scenery(mixed(80, pictures=False), ("sort",))
    rows = scene.prepared.split.test
    scores = [
        raw_scores(each.network, scene.prepared.collate(), rows)["sort"] for each in (load_trained(run), written[1])
    ]
    assert torch.equal(*scores)
