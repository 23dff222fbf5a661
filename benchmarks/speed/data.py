"""Makes what all contenders are handed: arrays as `.npy` files and the weights to start from. Runs beside Lamina.

python -m benchmarks.speed.data DATA FOLDER
"""

import sys
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.quality.rows import idx
from benchmarks.speed.networks import NETWORKS, make


def main(data: Path, folder: Path) -> None:
    """Make what is not there yet."""
    for name, read in (("digits", digits), ("objects", objects), ("table", table)):
        path = folder / name
        if not (path / "targets.npy").exists():
            path.mkdir(parents=True, exist_ok=True)
            inputs, targets = read(data)
            np.save(path / "inputs.npy", inputs)
            np.save(path / "targets.npy", targets.astype(np.int64))  # the last to be written: it means done
    for name in NETWORKS:
        arrays = [value.numpy() for key, value in make(name).state_dict().items() if "num_batches" not in key]
        np.savez(folder / f"{name}.npz", allow_pickle=False, **{f"{place:03}": a for place, a in enumerate(arrays)})


def digits(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's training pictures."""
    pictures, targets = (idx(data / "mnist" / f"train-{what}-ubyte.gz") for what in ("images-idx3", "labels-idx1"))
    return pictures[..., None], targets


def objects(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """CIFAR-10 pictures, in an order of their own: the archive is sorted by class."""
    with zipfile.ZipFile(data / "cifar10" / "train.zip") as archive:
        members = [member for member in archive.namelist() if not member.endswith("/")]
        classes = sorted({Path(member).parent.name for member in members})
        pictures = np.stack([np.asarray(Image.open(BytesIO(archive.read(m))).convert("RGB")) for m in members])
    targets = np.array([classes.index(Path(member).parent.name) for member in members])
    order = np.random.default_rng(0).permutation(len(members))
    return pictures[order], targets[order]


def table(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """A million rows of 14 numbers; the class follows from five of them, with one in ten drawn at random."""
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((1_000_000, 14), dtype=np.float32)
    truth = inputs[:, 0] + inputs[:, 1] * inputs[:, 2] > np.sin(2 * inputs[:, 3]) + inputs[:, 4] ** 2 - 1
    chance = generator.random(len(inputs))
    return inputs, np.where(chance < 0.1, chance < 0.05, truth)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
