"""The machine: which device computes, how its memory is handled, and what is written of it into a run."""

import contextlib
import ctypes
import os
import platform
from functools import cache
from pathlib import Path

import torch

from lamina.ground.errors import MachineError

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


@cache
def prepare_process() -> None:
    """Set memory and threads for training; the first call counts, later ones change nothing.

    glibc hands large blocks back to the system after each tensor and takes them anew for the next one; where page
    faults are slow this costs up to half of the training speed (docs/lab-notes.md). Raising both thresholds keeps
    the blocks. Where there is no glibc, nothing happens.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)
    except (OSError, AttributeError):
        pass
    _flush_denormals()


def _flush_denormals() -> None:
    """Let numbers next to zero be zero: they take a slow path in the processor and mean nothing to a network.

    Every thread has this setting for itself, and a new one that of the thread which starts it. Those that PyTorch has
    started already, because something was computed before, are asked one by one; otherwise their half of an optimizer's
    averages fills with such numbers, and a step of Adam takes up to three times as long (docs/lab-notes.md).
    """

    def flush(_: object) -> None:
        torch.set_flush_denormal(True)

    flush(None)
    with contextlib.suppress(OSError, AttributeError, StopIteration):  # elsewhere than with GNU's OpenMP
        library = next((Path(torch.__file__).parent / "lib").glob("libgomp*"))
        ask = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(flush)
        ctypes.CDLL(str(library)).GOMP_parallel(ask, None, torch.get_num_threads(), 0)


def pick_device(name: str = "auto") -> torch.device:
    """The device to compute on: a GPU when there is one, unless a name asks otherwise.

    Raises:
        MachineError: if the named device is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise MachineError(f"There is no device {name!r}. Use auto, cpu, cuda or cuda:0.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise MachineError(f"Device {name!r} was asked for, but torch sees no GPU here. Use device=cpu or auto.")
    return device


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 can be faster than float32: tensor cores, or matrix units (AMX) in the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    return "amx_bf16" in _cpu_flags()


@cache
def _cpu_flags() -> frozenset[str]:
    return frozenset(_cpu_info("flags").split())


def _cpu_info(name: str) -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            label, _, value = line.partition(":")
            if label.strip() == name:
                return value.strip()
    return ""


def launched() -> tuple[int, int]:
    """This process's number among those that torch's launcher started together, and how many there are: (0, 1) alone.

    Only what `torchrun` sets itself is believed: RANK alone may stand in an environment for other reasons.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return 0, 1
    return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])


def device_memory(device: torch.device) -> int:
    """Bytes of memory where a process computes: of its GPU, or its share of the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return memory_bytes() // (int(os.environ["LOCAL_WORLD_SIZE"]) if launched()[1] > 1 else 1)


def memory_bytes() -> int:
    """Memory of the machine in bytes, as far as the system tells."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def machine() -> dict[str, object]:
    """What a reader of a run needs to know to judge its timing."""
    facts: dict[str, object] = {
        "processor": _cpu_info("model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "matrix_units": "amx_bf16" in _cpu_flags(),
        "memory_gib": round(memory_bytes() / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    if torch.cuda.is_available():
        facts["gpu"] = torch.cuda.get_device_name()
    return facts
