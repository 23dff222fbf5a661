"""Randomness as a pure function of keys, so that any moment of a training can be reached again.

A generator is never carried along: it is made from (seed, what it is for, where we are).
"""

import hashlib
from functools import lru_cache

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


def seed_layers(device: torch.device, *parts: object, step: int = 0) -> None:
    """Set what layers on a device draw from, dropout for one: nobody can hand them a generator of their own.

    Args:
        device: where the layers are.
        parts: what the seed depends on beside the step; hashed once only, for between two operations of a small network
            even a hash is a twentieth of a step (docs/lab-notes.md).
        step: each has a seed of its own, 2^32 of them in a row.
    """
    seed = (_first_seed(*parts) + step * _APART) & _LARGEST
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)


_first_seed = lru_cache(key)
_APART, _LARGEST = 0x9E3779B97F4A7C15, 2**63 - 1
"""An odd number whose multiples lie far apart (Knuth's multiplicative hashing), and the largest seed."""


def numpy_generator(*parts: object) -> np.random.Generator:
    """A numpy generator for these keys."""
    return np.random.Generator(np.random.PCG64(key(*parts)))


def permutation(count: int, *parts: object) -> np.ndarray:
    """The order of `count` rows under these keys: (count,) of int64."""
    return numpy_generator(*parts).permutation(count)
