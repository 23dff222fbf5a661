"""What every room stands on: errors, settings, files, randomness, the machine, and the shapes of features."""

from lamina.ground.config import from_plain, set_path, to_plain
from lamina.ground.device import has_fast_bfloat16, machine, memory_bytes, pick_device, prepare_process
from lamina.ground.errors import (
    DataError,
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
from lamina.ground.files import cache_folder, sha256, sync, whole_file, whole_folder, write_json
from lamina.ground.seed import key, numpy_generator, permutation, torch_generator
from lamina.ground.shapes import Features, Form, Geometry, Shape, grid, tokens, vector

__all__ = [
    "DataError",
    "Features",
    "Form",
    "Geometry",
    "Interrupted",
    "LaminaError",
    "MachineError",
    "PlanError",
    "RunError",
    "Shape",
    "ShapeError",
    "UsageError",
    "cache_folder",
    "from_plain",
    "grid",
    "has_fast_bfloat16",
    "key",
    "listing",
    "machine",
    "memory_bytes",
    "nearest",
    "numpy_generator",
    "permutation",
    "pick_device",
    "prepare_process",
    "set_path",
    "sha256",
    "sync",
    "to_plain",
    "tokens",
    "torch_generator",
    "vector",
    "whole_file",
    "whole_folder",
    "write_json",
]
