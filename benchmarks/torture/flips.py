"""Bits flipped and files cut off, over all files of a run and of a checkpoint: none may load as if nothing were."""

import random
import tempfile
from pathlib import Path

import polars as pl
import torch

import lamina
from benchmarks.torture.children import finish
from lamina.ground import LaminaError
from lamina.training import load_checkpoint, save_checkpoint


def make_run(folder: Path) -> None:
    """A small run with every kind of file in it."""
    chance = random.Random(0)
    rows = [(chance.random(), chance.choice("abc")) for _ in range(80)]
    frame = pl.DataFrame({"x": [x for x, _ in rows], "z": [z for _, z in rows], "y": [x > 0.5 for x, _ in rows]})
    settings = {"training.steps": 3, "training.ensemble": 1, "training.precision": "float32", "hidden.width": 8,
                "split.test": 0.2}  # fmt: skip
    lamina.train(frame, predict="y", set=settings, out=folder, quiet=True)


def damage(data: bytes, chance: random.Random) -> bytes:
    """One bit flipped, or the end cut off."""
    place = chance.randrange(len(data))
    if chance.random() < 0.3:
        return data[:place]
    flipped = bytearray(data)
    flipped[place] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def run(count: int, seed: int) -> dict[str, object]:
    """`count` damages, each undone before the next; how many were refused in words."""
    chance, refused, silent, crashed = random.Random(seed), 0, list[str](), list[str]()
    with tempfile.TemporaryDirectory() as place:
        made, saved = Path(place) / "run", Path(place) / "saved"
        assert finish(lambda: make_run(made)), "the run must be made before it is damaged"
        save_checkpoint(saved, {"step": 3, "weights": {"w": torch.eye(40)}})
        files = [path for folder in (made, saved) for path in sorted(folder.rglob("*"))
                 if path.is_file() and path.name != "lock"]  # fmt: skip
        for number in range(count):
            path = chance.choice(files)
            whole = path.read_bytes()
            path.write_bytes(damage(whole, chance))
            try:
                load_checkpoint(saved) if path.is_relative_to(saved) else lamina.load(made)
                silent.append(f"{number} {path.name}")
            except LaminaError:
                refused += 1
            except Exception as error:
                crashed.append(f"{number} {path.name}: {type(error).__name__}")
            path.write_bytes(whole)
        lamina.load(made)
    return {"tried": count, "survived": refused, "files": len(files), "silent": silent, "crashed": crashed}
