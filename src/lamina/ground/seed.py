"""Randomness as a pure function of keys, so that any moment of a training can be reached again.

A generator is never carried along: it is made from (seed, what it is for, where we are).
"""

import hashlib

import numpy as np
import torch


def key(*parts: object) -> int:
    """A 63-bit number that depends on every part and on nothing else (not on the process, as `hash` does)."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def torch_generator(*parts: object, device: torch.device | str = "cpu") -> torch.Generator:
    """A torch generator for these keys: `torch_generator(seed, "dropout", step)`."""
    generator = torch.Generator(device=device)
    generator.manual_seed(key(*parts))
    return generator


def seed_layers(device: torch.device, *parts: object) -> None:
    """Set what layers on a device draw from, dropout for one: nobody can hand them a generator of their own."""
    torch.default_generator.manual_seed(key(*parts))
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(key(*parts))


def numpy_generator(*parts: object) -> np.random.Generator:
    """A numpy generator for these keys."""
    return np.random.Generator(np.random.PCG64(key(*parts)))


def permutation(count: int, *parts: object) -> np.ndarray:
    """The order of `count` rows under these keys: (count,) of int64."""
    return numpy_generator(*parts).permutation(count)
