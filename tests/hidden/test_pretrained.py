"""Weights that were trained elsewhere: what is taken over, and what is said about the rest."""

from pathlib import Path

import pytest
import torch
from hidden.named_laws import on_meta, pictures
from safetensors.torch import save_file
from torch import Tensor, nn

from lamina.ground.errors import PlanError
from lamina.ground.shapes import Shape
from lamina.hidden.lenet import LeNetPlan
from lamina.hidden.pretrained import load_weights
from lamina.hidden.resnet import ResNet18Plan
from lamina.hidden.vgg import VGG11Plan

COLOUR = Shape("grid", 3, (32, 32))


def small_network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 5))


def random_weights(network: nn.Module) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.rand(tensor.shape, generator=generator) if tensor.is_floating_point() else tensor.clone()
        for name, tensor in network.state_dict().items()
    }


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as the published one of resnet18: random numbers, true names and shapes, 1,000 classes."""
    weights = random_weights(ResNet18Plan().build(COLOUR))
    weights |= {"fc.weight": torch.rand(1000, 512), "fc.bias": torch.rand(1000)}
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(weights, path)
    return path


@pytest.mark.parametrize("nesting", [None, "state_dict", "model"])
@pytest.mark.parametrize("form", ["safetensors", "zip", "old"])
def test_every_form_of_file_fills_the_network(form: str, nesting: str | None, tmp_path: Path) -> None:
    network, weights = small_network(), random_weights(small_network())
    path = tmp_path / ("weights.safetensors" if form == "safetensors" else "weights.pth")
    if form == "safetensors":
        save_file(weights, path)
    else:
        content = {nesting: weights, "epoch": 3} if nesting else weights
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    report = load_weights(network, path)
    assert set(report.matched) == set(weights)
    assert not (report.renamed or report.reshaped or report.replaced or report.missing or report.unexpected)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, weights[name]), name


def test_prefixes_of_wrappers_are_dropped_and_said(tmp_path: Path) -> None:
    network, weights = small_network(), random_weights(small_network())
    torch.save({f"_orig_mod.module.{name}": tensor for name, tensor in weights.items()}, tmp_path / "weights.pt")
    report = load_weights(network, tmp_path / "weights.pt")
    assert ("_orig_mod.module.0.weight", "0.weight") in report.renamed
    assert len(report.renamed) == len(weights)
    assert torch.equal(network[0].weight, weights["0.weight"])
    assert "9 tensors taken over" in str(report) and "_orig_mod.module.0.weight -> 0.weight" in str(report)


def test_a_hidden_part_starts_from_published_weights(published: Path) -> None:
    network = ResNet18Plan(weights=str(published)).build(COLOUR)
    file = torch.load(published, weights_only=True)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, file[name]), name
    report = network.pretrained
    assert report is not None and len(report.matched) == 120
    assert report.replaced == ("fc.weight", "fc.bias")
    assert "replaced    fc.weight, fc.bias (the network has its own layers here)" in str(report)


def test_the_files_last_layer_is_offered_to_an_output(published: Path, tmp_path: Path) -> None:
    network = ResNet18Plan(weights=str(published)).build(COLOUR)
    assert network.pretrained is not None
    file = torch.load(published, weights_only=True)
    assert {name: tensor.shape for name, tensor in network.pretrained.head.items()} == {
        "fc.weight": (1000, 512),
        "fc.bias": (1000,),
    }
    assert torch.equal(network.pretrained.head["fc.bias"], file["fc.bias"])
    other = small_network()
    torch.save(random_weights(other), tmp_path / "weights.pth")
    assert not load_weights(other, tmp_path / "weights.pth").head


def test_grey_pictures_see_what_colour_pictures_of_the_same_grey_do(published: Path) -> None:
    colour = ResNet18Plan(weights=str(published)).build(COLOUR).eval()
    grey = ResNet18Plan(weights=str(published)).build(Shape("grid", 1, (32, 32))).eval()
    assert grey.pretrained is not None and grey.pretrained.reshaped == ("conv1.weight",)
    values = pictures(Shape("grid", 1, (32, 32))).values
    with torch.no_grad():
        torch.testing.assert_close(grey.conv1(values), colour.conv1(values.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4)
    assert "colour channels summed" in str(grey.pretrained)


def test_another_stem_keeps_its_own_weights_and_says_so(published: Path) -> None:
    network = ResNet18Plan(weights=str(published), stem="small").build(COLOUR)
    assert network.pretrained is not None and "conv1.weight" in network.pretrained.replaced
    assert network.conv1.weight.shape == (64, 3, 3, 3)


def test_frozen_and_loaded_go_together(published: Path) -> None:
    network = ResNet18Plan(weights=str(published), freeze=5).build(COLOUR).train()
    network(pictures(COLOUR))
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert torch.equal(network.bn1.running_mean, torch.load(published, weights_only=True)["bn1.running_mean"])


def test_on_the_meta_device_no_file_is_needed() -> None:
    assert on_meta(ResNet18Plan(weights="elsewhere.pth"), COLOUR).pretrained is None


def test_missing_wrong_and_further_tensors_are_said(tmp_path: Path) -> None:
    network, weights = small_network(), random_weights(small_network())
    own = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    del weights["0.bias"], weights["1.num_batches_tracked"]
    weights |= {"3.weight": torch.rand(7, 16), "1.bias": torch.arange(4), "extra.weight": torch.rand(2)}
    torch.save(weights, tmp_path / "weights.pth")
    report = load_weights(network, tmp_path / "weights.pth")
    assert report.missing == ("0.bias",)  # the counter of batch norm is not learned
    assert set(report.replaced) == {"3.weight", "1.bias"}
    assert report.unexpected == ("extra.weight",)
    for name, tensor in network.state_dict().items():
        expected = weights[name] if name in report.matched else own[name]
        assert torch.equal(tensor, expected), name
    for words in ("missing     0.bias", "replaced    3.weight, 1.bias", "unexpected  extra.weight"):
        assert words in str(report).replace("1.bias, 3.weight", "3.weight, 1.bias")


def test_half_precision_becomes_the_networks_own(tmp_path: Path) -> None:
    network, weights = small_network(), random_weights(small_network())
    halved = {name: t.bfloat16() if t.is_floating_point() else t for name, t in weights.items()}
    save_file(halved, tmp_path / "weights.safetensors")
    load_weights(network, tmp_path / "weights.safetensors")
    assert network[0].weight.dtype == torch.float32
    assert torch.equal(network[0].weight, halved["0.weight"].float())


def test_weights_of_another_network_are_refused_and_change_nothing(tmp_path: Path) -> None:
    shape = Shape("grid", 3, (32, 32))
    torch.save(random_weights(VGG11Plan(classifier_width=8, batch_norm=False).build(shape)), tmp_path / "vgg11.pth")
    with pytest.raises(PlanError, match=r"made for another network.*settings .*batch_norm"):
        VGG11Plan(classifier_width=8, weights=str(tmp_path / "vgg11.pth")).build(shape)
    lenet = LeNetPlan().build(shape)
    before = lenet.features[0].weight.clone()
    with pytest.raises(PlanError, match="it fills 0 of 8 tensors"):
        load_weights(lenet, tmp_path / "vgg11.pth")
    assert torch.equal(lenet.features[0].weight, before)
