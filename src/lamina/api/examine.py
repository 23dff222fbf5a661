"""What this machine and this installation can do."""

import importlib.metadata
import importlib.util
import json
import time
from typing import Any

import torch
from torch import distributed

from lamina.ground import VERSION, cache_folder, has_fast_bfloat16, machine, pick_device, prepare_process

_EXTRAS = {"metrics": ("sacrebleu",), "tables": ("fastexcel",)}
"""Extras that do something, and a module that each of them brings."""


def examine(as_json: bool = False) -> str:
    """The verb `doctor`: a page of findings, or the same as JSON."""
    prepare_process()
    found = _findings()
    if as_json:
        return json.dumps(found, indent=1)
    lines = [f"{name.replace('_', ' '):<22}{_text(value)}" for name, value in found.items()]
    return "\n".join(lines)


def _findings() -> dict[str, Any]:
    device = pick_device()
    store = cache_folder() / "store"
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file()) if store.exists() else 0
    found: dict[str, Any] = {"lamina": VERSION, **machine(), "device": str(device)}
    found["float32_gflops"] = _matrix_rate(torch.float32, device)
    if has_fast_bfloat16(device):
        found["bfloat16_gflops"] = _matrix_rate(torch.bfloat16, device)
    found["bfloat16"] = "faster than float32" if has_fast_bfloat16(device) else "no faster than float32 here: not used"
    found["several_processes"] = f"torchrun --nproc-per-node N -m lamina train ..., over {_connections()}"
    found["prepared_data"] = f"{store} ({size / 2**20:,.0f} MiB; safe to delete)"
    for package in ("numpy", "polars", "scikit-learn", "pillow", "safetensors"):
        found[package] = importlib.metadata.version(package)
    for extra, modules in _EXTRAS.items():
        there = all(importlib.util.find_spec(module) for module in modules)
        found[f"extra {extra}"] = "installed" if there else f"missing: pip install 'lamina[{extra}]'"
    return found


def _connections() -> str:
    """What several processes can send messages with."""
    known = {"gloo": distributed.is_gloo_available(), "NCCL": distributed.is_nccl_available()}
    return " or ".join(name for name, there in known.items() if there) or "nothing: this PyTorch has no gloo"


def _matrix_rate(dtype: torch.dtype, device: torch.device) -> float:
    """Billions of operations a second in a product of two 1,024 x 1,024 matrices: the best of several."""
    one = torch.randn(1024, 1024, device=device).to(dtype)
    best = float("inf")
    for _ in range(8):
        start = time.perf_counter()
        (one @ one)[0, 0].item()
        best = min(best, time.perf_counter() - start)
    return round(2 * 1024**3 / best / 1e9, 1)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)
