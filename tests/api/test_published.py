"""Training that begins with published weights, from the file to the run."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import lamina
from lamina.ground import Shape
from lamina.hidden import HIDDEN

SIDE = 12


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of twelve colour pictures, told apart by their colour."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for place, name in enumerate(("red", "green", "blue")):
        (folder / name).mkdir()
        for number in range(12):
            pixels = random.integers(0, 100, (SIDE, SIDE, 3), dtype=np.uint8)
            pixels[:, :, place] += 150
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    """A file as the published one of ResNet-18 with its 1,000 classes."""
    torch.manual_seed(3)
    weights = dict(HIDDEN["resnet18"]().build(Shape("grid", 3, (SIDE, SIDE))).state_dict())
    weights |= {"fc.weight": torch.rand(1000, 512), "fc.bias": torch.rand(1000)}
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(weights, path)
    return path, weights


@pytest.mark.parametrize("freeze", [5, 0])
def test_a_network_goes_on_from_published_weights(
    freeze: int, pictures: Path, published: tuple[Path, dict[str, Tensor]], tmp_path: Path
) -> None:
    path, weights = published
    settings = {
        "hidden.name": "resnet18", "hidden.weights": str(path), "hidden.freeze": freeze, "training.steps": 1,
        "training.batch_size": 8, "training.ensemble": 1, "training.precision": "float32", "training.optimizer": "sgd",
        "training.learning_rate": 0.001, "training.weight_decay": 0.0, "training.warmup": 0.0,
        "inputs.image.mirror": False, "split.test": 0.2,
    }  # fmt: skip
    run = lamina.train(pictures, set=settings, out=tmp_path / "run", quiet=True)
    found = {name: tensor for name, tensor in run.network.hidden.state_dict().items() if "num_batches" not in name}
    same = [name for name, tensor in found.items() if torch.equal(tensor, weights[name])]
    assert len(same) == len(found) if freeze else "conv1.weight" not in same
    for name, parameter in run.network.hidden.named_parameters():  # a short step from the file, not from a random start
        torch.testing.assert_close(parameter.detach(), weights[name], atol=0.01, rtol=0)
    assert run.plan.inputs["image"].normalise == "imagenet"  # type: ignore[attr-defined]
    path.rename(path.with_suffix(".gone"))  # a run holds what became of the weights and does not need their file
    try:
        answers = lamina.load(run.path).predict(pictures / "red")
    finally:
        path.with_suffix(".gone").rename(path)
    assert set(answers.columns) == {"class", "class_confidence"}
