"""Makes what all contenders are handed: arrays as `.npy` files and the weights to start from. Runs beside Lamina.

`python -m benchmarks.speed.data DATA FOLDER NAME...` makes what is not there yet.
"""

import sys
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
import torch
from PIL import Image
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn
from torch.nn import functional

from benchmarks.quality.rows import idx, read_text
from benchmarks.speed.networks import NETWORKS, make
from benchmarks.speed.workloads import FEW_PHOTOS, PHOTOS, PLACES, TEXTS

Arrays = tuple[np.ndarray, ...]
"""Inputs and targets, and those of the test rows where they are needed."""


def main(data: Path, folder: Path, names: Sequence[str]) -> None:
    """Make what is not there yet of these arrays, and weights."""
    folder.mkdir(parents=True, exist_ok=True)
    readers = READERS | {name: partial(photos, folder / name / "files", count) for name, count in FOLDERS.items()}
    for name in names:
        read, path = readers[name], folder / name
        if not (path / "targets.npy").exists():
            path.mkdir(parents=True, exist_ok=True)
            inputs, targets, *test = read(data)
            for half, array in zip(("test-inputs", "test-targets"), test, strict=False):
                np.save(path / half, array)
            np.save(path / "inputs", inputs)
            np.save(path / "targets", targets.astype(np.int64))  # the last to be written: it means done
    for name in NETWORKS:
        save_weights(folder / f"{name}.npz", make(name))
    for name in TEXTS if "shakespeare" in names else ():
        if not (path := folder / f"{name}-learned.npz").exists():
            save_weights(path, learned(name, folder / "shakespeare"))


def save_weights(path: Path, network: nn.Module) -> None:
    """All arrays of a network, in their order."""
    arrays = [value.numpy() for key, value in network.state_dict().items() if "num_batches" not in key]
    np.savez(path, allow_pickle=False, **{f"{place:03}": array for place, array in enumerate(arrays)})


def learned(name: str, folder: Path) -> nn.Module:
    """A network that has read some of the text, so that what it writes can be judged."""
    inputs, targets = (torch.from_numpy(np.load(folder / f"{what}.npy")) for what in ("inputs", "targets"))
    network = make(name)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    for rows in torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))[:LEARNED].split(16):
        functional.cross_entropy(network(inputs[rows]).flatten(0, 1), targets[rows].flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()
    return network


def digits(data: Path) -> Arrays:
    """MNIST, with its test rows."""
    halves = []
    for half in ("train", "t10k"):
        halves += [idx(data / "mnist" / f"{half}-{what}-ubyte.gz") for what in ("images-idx3", "labels-idx1")]
    return halves[0][..., None], halves[1], halves[2][..., None], halves[3].astype(np.int64)


def clothes(data: Path) -> Arrays:
    """Fashion-MNIST, with its test rows."""
    halves = [pictures(data / "fashion_mnist" / f"{half}.zip") for half in ("train", "test")]
    (inputs, targets), (test, answers) = halves
    return inputs[..., :1], targets, test[..., :1], answers


def objects(data: Path) -> Arrays:
    """CIFAR-10."""
    return pictures(data / "cifar10" / "train.zip")


def people(data: Path) -> Arrays:
    """adult_income, with its test rows: numbers scaled and categories as one of many, known from training rows."""
    train, test = (read_text(data / "adult_income" / f"{half}.csv.gz") for half in ("train", "test"))
    columns = [name for name in train.columns if name != "income"]
    numbers = [name for name in columns if train[name].cast(pl.Float64, strict=False).null_count() == 0]
    categories = [name for name in columns if name not in numbers]
    scaler, encoder = StandardScaler(), OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    scaler.fit(train.select(numbers).to_numpy().astype(np.float64))
    encoder.fit(train.select(categories).fill_null("").to_numpy())
    halves: list[np.ndarray] = []
    for frame in (train, test):
        scaled = scaler.transform(frame.select(numbers).to_numpy().astype(np.float64))
        chosen = encoder.transform(frame.select(categories).fill_null("").to_numpy())
        halves.append(np.hstack([scaled, chosen]).astype(np.float32))
        halves.append((frame["income"].str.strip_chars(". ") == ">50K").to_numpy().astype(np.int64))
    return halves[0], halves[1], halves[2], halves[3]


def pictures(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """An archive of class folders, in an order of its own: it is sorted by class."""
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.namelist() if not member.endswith("/")]
        classes = sorted({Path(member).parent.name for member in members})
        pixels = np.stack([np.asarray(Image.open(BytesIO(archive.read(m))).convert("RGB")) for m in members])
    targets = np.array([classes.index(Path(member).parent.name) for member in members])
    order = np.random.default_rng(0).permutation(len(members))
    return pixels[order], targets[order]


def shakespeare(data: Path) -> Arrays:
    """Stretches of one text, character by character, and the same one place later; what stands first is 0, the start.

    Characters are numbered as Lamina does, from 3 on in their own order.
    """
    text = (data / "tiny_shakespeare" / "input.txt").read_text("utf-8")
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    places = 3 + np.unique(points, return_inverse=True)[1].astype(np.int64)
    targets = places[: len(places) // PLACES * PLACES].reshape(-1, PLACES)
    return np.pad(targets, ((0, 0), (1, 0)))[:, :-1], targets


def table(data: Path) -> Arrays:
    """A million rows of 14 numbers; the class follows from five of them, with one in ten drawn at random."""
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((1_000_000, 14), dtype=np.float32)
    truth = inputs[:, 0] + inputs[:, 1] * inputs[:, 2] > np.sin(2 * inputs[:, 3]) + inputs[:, 4] ** 2 - 1
    chance = generator.random(len(inputs))
    return inputs, np.where(chance < 0.1, chance < 0.05, truth)


def photos(folder: Path, count: int, data: Path) -> Arrays:
    """Writes JPEG files of 256x256 and returns the first of them at 64x64, to judge by.

    Ten classes, a folder for each: stripes of five widths, upright or level, over a random ground.
    """
    generator = np.random.default_rng(0)
    positions = np.arange(256)
    small, targets = [], np.arange(count) % 10
    for number, target in enumerate(targets.tolist()):
        path = folder / str(target) / f"{number:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(generator.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        ground = np.asarray(coarse.resize((256, 256), Image.Resampling.BICUBIC), dtype=np.float32)
        length = (12, 18, 27, 40, 60)[target % 5] * generator.uniform(0.92, 1.08)
        stripes = 60 * np.sin(2 * np.pi * (positions / length + generator.random())).astype(np.float32)
        drawn = ground + (stripes[None, :, None] if target < 5 else stripes[:, None, None])
        picture = Image.fromarray(drawn.clip(0, 255).astype(np.uint8))
        picture.save(path, quality=90)
        if number < JUDGED_PHOTOS:
            small.append(np.asarray(picture.resize((64, 64), Image.Resampling.BILINEAR)))
    return np.stack(small), targets[:JUDGED_PHOTOS]


LEARNED, LEARNING_RATE = 120 * 16, 0.003
"""Stretches that the networks which write have read before, and the rate of Adam."""
JUDGED_PHOTOS = 1000
FOLDERS = {"photos": PHOTOS, "few_photos": FEW_PHOTOS}
"""How many files each holds."""

READERS: dict[str, Callable[[Path], Arrays]] = {
    "digits": digits, "clothes": clothes, "objects": objects, "people": people, "table": table,
    "shakespeare": shakespeare,
}  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
