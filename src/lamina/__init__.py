"""Lamina: point it at data; it stacks the right layers, trains them, proves what they are worth, and explains itself.

    run = lamina.train("houses.csv", predict="price", time="2m")
    run.predict("new.csv")

Torch and everything heavy is imported when a name is first used, not on `import lamina`.
"""

import importlib
import os
from typing import TYPE_CHECKING

from lamina.ground.version import VERSION

__version__ = VERSION

if "OMP_WAIT_POLICY" not in os.environ:
    # Threads that wait for each other spin, and by default for ten milliseconds and more: beside many programs that
    # takes away the time that the thread waited for needs, and a small step lasts thirty times as long. Half a
    # millisecond reaches from one operation to the next, without which they would sleep and be woken for each
    # (docs/lab-notes.md, The machine 6 and 15). Read when PyTorch is first imported.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

_HOMES = {
    "train": "lamina.api",
    "fit": "lamina.api",
    "load": "lamina.api",
    "load_module": "lamina.api",
    "make_plan": "lamina.api",
    "Run": "lamina.api",
    "Plan": "lamina.network",
    "DataError": "lamina.ground",
    "Interrupted": "lamina.ground",
    "LaminaError": "lamina.ground",
    "MachineError": "lamina.ground",
    "PlanError": "lamina.ground",
    "RunError": "lamina.ground",
    "ShapeError": "lamina.ground",
    "UsageError": "lamina.ground",
}

__all__ = [
    "DataError",
    "Interrupted",
    "LaminaError",
    "MachineError",
    "Plan",
    "PlanError",
    "Run",
    "RunError",
    "ShapeError",
    "UsageError",
    "fit",
    "load",
    "load_module",
    "make_plan",
    "train",
]

if TYPE_CHECKING:
    from lamina.api import Run, fit, load, load_module, make_plan, train
    from lamina.ground import (
        DataError,
        Interrupted,
        LaminaError,
        MachineError,
        PlanError,
        RunError,
        ShapeError,
        UsageError,
    )
    from lamina.network import Plan


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'lamina' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
