from pathlib import Path

import pytest
import torch

from lamina.ground import RunError
from lamina.training import load_checkpoint, save_checkpoint

STATE = {
    "step": 12,
    "optimizers": [{"state": {0: {"m": torch.arange(3.0)}, 1: {}}, "param_groups": [{"lr": 0.1, "params": [0, 1]}]}],
    "best": {"figure": 0.5, "weights": {"a.b": torch.eye(2)}},
    "none": None,
}


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", STATE)
    loaded = load_checkpoint(tmp_path / "c")
    assert loaded["step"] == 12
    assert loaded["none"] is None
    assert torch.equal(loaded["optimizers"][0]["state"][0]["m"], torch.arange(3.0))
    assert loaded["optimizers"][0]["state"][1] == {}
    assert torch.equal(loaded["best"]["weights"]["a.b"], torch.eye(2))


def test_a_second_save_replaces_the_first_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", STATE)
    save_checkpoint(tmp_path / "c", STATE | {"step": 13})
    assert load_checkpoint(tmp_path / "c")["step"] == 13
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["saved-000002"]


def test_the_millionth_checkpoint_is_newer_than_the_one_before_it(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", STATE)
    (tmp_path / "c" / "saved-000001").rename(tmp_path / "c" / "saved-999999")
    save_checkpoint(tmp_path / "c", STATE | {"step": 13})
    save_checkpoint(tmp_path / "c", STATE | {"step": 14})
    assert load_checkpoint(tmp_path / "c")["step"] == 14


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json", "MANIFEST.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_damage_is_refused(tmp_path: Path, name: str, damage: str) -> None:
    save_checkpoint(tmp_path / "c", STATE)
    path = tmp_path / "c" / "saved-000001" / name
    data = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    else:
        data[len(data) // 2] ^= 64
        path.write_bytes(data if damage == "flip" else data[: len(data) // 2])
    with pytest.raises(RunError, match="--fresh"):
        load_checkpoint(tmp_path / "c")
