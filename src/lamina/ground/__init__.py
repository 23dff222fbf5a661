"""What every room stands on: errors, settings, files, randomness, the machine, and the shapes of features.

Names are imported when first used, so that errors and the version come without torch.
"""

import importlib
from typing import TYPE_CHECKING

_MODULES = {
    "config": ("from_plain", "set_path", "to_plain"),
    "device": (
        "device_memory",
        "has_fast_bfloat16",
        "launched",
        "machine",
        "memory_bytes",
        "pick_device",
        "prepare_process",
    ),
    "errors": (
        "DataError",
        "Dismissed",
        "Interrupted",
        "LaminaError",
        "MachineError",
        "PlanError",
        "RunError",
        "ShapeError",
        "UsageError",
        "listing",
        "nearest",
    ),
    "files": (
        "cache_folder",
        "clear_debris",
        "load_tensors",
        "sha256",
        "sync",
        "system_errors",
        "whole_file",
        "whole_folder",
        "write_json",
    ),
    "lazy": ("LazyModule",),
    "model_folder": ("ModelFolder",),
    "dropout": ("Dropout",),
    "rotation": ("turned", "turns"),
    "seed": ("key", "numpy_generator", "permutation", "seed_layers", "torch_generator"),
    "shapes": ("Features", "Form", "Geometry", "Shape", "grid", "tokens", "vector"),
    "version": ("VERSION",),
}
"""Module -> the names that it brings."""

_HOMES = {name: module for module, names in _MODULES.items() for name in names}

if TYPE_CHECKING:
    from lamina.ground.config import from_plain, set_path, to_plain
    from lamina.ground.device import (
        device_memory,
        has_fast_bfloat16,
        launched,
        machine,
        memory_bytes,
        pick_device,
        prepare_process,
    )
    from lamina.ground.dropout import Dropout
    from lamina.ground.errors import (
        DataError,
        Dismissed,
        Interrupted,
        LaminaError,
        MachineError,
        PlanError,
        RunError,
        ShapeError,
        UsageError,
        listing,
        nearest,
    )
    from lamina.ground.files import (
        cache_folder,
        clear_debris,
        load_tensors,
        sha256,
        sync,
        system_errors,
        whole_file,
        whole_folder,
        write_json,
    )
    from lamina.ground.lazy import LazyModule
    from lamina.ground.model_folder import ModelFolder
    from lamina.ground.rotation import turned, turns
    from lamina.ground.seed import key, numpy_generator, permutation, seed_layers, torch_generator
    from lamina.ground.shapes import Features, Form, Geometry, Shape, grid, tokens, vector
    from lamina.ground.version import VERSION

__all__ = [
    "VERSION",
    "DataError",
    "Dismissed",
    "Dropout",
    "Features",
    "Form",
    "Geometry",
    "Interrupted",
    "LaminaError",
    "LazyModule",
    "MachineError",
    "ModelFolder",
    "PlanError",
    "RunError",
    "Shape",
    "ShapeError",
    "UsageError",
    "cache_folder",
    "clear_debris",
    "device_memory",
    "from_plain",
    "grid",
    "has_fast_bfloat16",
    "key",
    "launched",
    "listing",
    "load_tensors",
    "machine",
    "memory_bytes",
    "nearest",
    "numpy_generator",
    "permutation",
    "pick_device",
    "prepare_process",
    "seed_layers",
    "set_path",
    "sha256",
    "sync",
    "system_errors",
    "to_plain",
    "tokens",
    "torch_generator",
    "turned",
    "turns",
    "vector",
    "whole_file",
    "whole_folder",
    "write_json",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'lamina.ground' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"lamina.ground.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
