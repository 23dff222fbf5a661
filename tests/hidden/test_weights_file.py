"""Files of weights: what is read, and what is refused without running it."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lamina.ground.errors import PlanError
from lamina.hidden.weights_file import read_weights


def test_tensors_come_by_name(tmp_path: Path) -> None:
    weights = {"a.weight": torch.rand(3, 2), "a.steps": torch.tensor(7)}
    torch.save({"state_dict": weights, "epoch": 3}, tmp_path / "weights.PTH")
    save_file(weights, tmp_path / "weights.safetensors")
    for name in ("weights.PTH", "weights.safetensors"):
        found = read_weights(tmp_path / name)
        assert found.keys() == weights.keys()
        assert all(torch.equal(found[key], weights[key]) for key in weights)


class Hostile:
    """Creates a file when it is unpickled by a reader that runs what it reads."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.marker,)


def write_hostile(how: str, path: Path, marker: Path) -> None:
    content = {"weight": torch.ones(2), "more": Hostile(marker)}
    if how == "plain pickle":
        path.write_bytes(pickle.dumps(content))
    elif how == "old format":
        torch.save(content, path, _use_new_zipfile_serialization=False)
    elif how == "zip":
        torch.save(content, path)
    elif how == "second pickle":
        torch.save({"weight": torch.ones(2)}, path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(f"{archive.namelist()[0].split('/')[0]}/more.pkl", pickle.dumps(content))
    else:
        torch.save(content, path)
        path.write_bytes(pickle.dumps(Hostile(marker)) + path.read_bytes())


@pytest.mark.parametrize("how", ["plain pickle", "old format", "zip", "second pickle", "pickle before a zip"])
def test_hostile_pickles_are_refused_without_running_them(how: str, tmp_path: Path) -> None:
    marker, path = tmp_path / "it ran", tmp_path / "weights.pth"
    write_hostile(how, path, marker)
    with pytest.raises(PlanError, match=r"weights: .*weights\.pth") as error:
        read_weights(path)
    assert "weights_only" not in str(error.value)  # torch's own message says how to run it after all
    assert not marker.exists()


def test_the_hostile_pickle_would_run_in_a_reader_that_trusts(tmp_path: Path) -> None:
    write_hostile("zip", tmp_path / "weights.pth", tmp_path / "it ran")
    torch.load(tmp_path / "weights.pth", weights_only=False)
    assert (tmp_path / "it ran").exists()


def write_packed(path: Path) -> None:
    torch.save({"weight": torch.zeros(100_000)}, path.with_suffix(".plain"))
    with zipfile.ZipFile(path.with_suffix(".plain")) as plain, zipfile.ZipFile(path, "w") as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name), zipfile.ZIP_DEFLATED)


def write_program(path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{archive.namelist()[0].split('/')[0]}/code/__torch__.py", "pass")


def write_stretched(path: Path) -> None:
    torch.save({"weight": torch.zeros(1).expand(10**9)}, path)


def write_huge_claim(path: Path) -> None:
    torch.save({"weight": torch.zeros(77)}, path, _use_new_zipfile_serialization=False)
    small, huge = b"K\x4d", b"\x8a\x06\x00\x00\x00\x00\x00\x10"  # 77 and 2 ** 44, as a pickle writes them
    assert small in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(small, huge))


def write_short_index(path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, path.with_suffix(".whole"))
    with zipfile.ZipFile(path.with_suffix(".whole")) as whole, zipfile.ZipFile(path, "w") as short:
        for name in whole.namelist():
            content = whole.read(name)
            short.writestr(name, content[:2] + b"J\0" if name.endswith("data.pkl") else content)


def damage(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    "name, write, problem",
    [
        ("absent.pth", lambda path: None, "there is no file .*absent.pth"),
        ("model.onnx", lambda path: path.write_bytes(b"x"), r"end in \.safetensors, \.pth or \.pt"),
        ("text.pth", lambda path: path.write_text("weights"), "not a file that torch.save wrote"),
        ("text.safetensors", lambda path: path.write_text("weights"), "damaged or no safetensors file"),
        ("empty.safetensors", lambda path: path.touch(), "damaged or no safetensors file"),
        ("list.pth", lambda path: torch.save([1, 2], path), "holds no tensors by name, but list"),
        ("epoch.pth", lambda path: torch.save({"epoch": 3}, path), "but a mapping of epoch. They are looked for"),
        ("module.pth", lambda path: torch.save(nn.Linear(2, 2), path), "damaged or holds more than weights"),
        ("nan.pth", lambda path: torch.save({"a": torch.tensor([1.0, float("nan")])}, path), "'a' in .* not finite"),
        ("eight.pth", lambda path: torch.save({"a": torch.ones(2).to(torch.float8_e4m3fn)}, path), "cut to 8 bits"),
        ("sparse.pth", lambda path: torch.save({"a": torch.eye(3).to_sparse()}, path), "sparse, quantised or empty"),
        ("packed.pth", write_packed, "would unpack to more than its"),
        ("program.pth", write_program, "holds .*/code/__torch__.py, which a file of weights does not"),
        ("huge.pth", write_huge_claim, "damaged or holds more than weights"),
        ("short.pth", write_short_index, "damaged or holds more than weights"),
        ("stretched.pth", write_stretched, "claims more numbers than the file has bytes for"),
    ],
)
def test_anything_but_weights_is_refused(name: str, write: Callable[[Path], object], problem: str, tmp_path: Path):
    write(tmp_path / name)
    with pytest.raises(PlanError, match=problem):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth", "old.pth"])
def test_half_a_file_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    weights = {"weight": torch.rand(500)}
    if name.endswith("safetensors"):
        save_file(weights, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=name != "old.pth")
    damage(path)
    with pytest.raises(PlanError, match="weights: "):
        read_weights(path)


def test_large_files_are_refused_before_they_are_read(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(100)}, tmp_path / "weights.safetensors")
    with pytest.raises(PlanError, match=r"bytes; at most 100 are read"):
        read_weights(tmp_path / "weights.safetensors", largest=100)
