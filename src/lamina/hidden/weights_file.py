"""Tensors by name from a weights file, without running anything that the file holds.

`.safetensors` files hold tensors and nothing else. `.pth` and `.pt` files hold a pickle: it is read by torch's
weights-only reader, which builds tensors and plain containers and refuses all else, and only after the file has
shown itself to be what `torch.save` writes, in names, sizes and packing.
"""

import math
import pickle
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import safetensors
import torch
from torch import Tensor

from lamina.ground.errors import PlanError, listing

LARGEST_FILE = 16 * 2**30
"""Bytes of the largest weights file that is read."""
LARGEST_INDEX = 64 * 2**20
"""Bytes of the largest `data.pkl`, which holds names and shapes only; the numbers lie in files of their own."""

# What torch.save writes. TorchScript programs add code/ and constants.pkl, and are refused by that.
_MEMBER = re.compile(r"[^/]+/(data\.pkl|data/\d+|version|byteorder|\.format_version|\.storage_alignment|\.data/\w+)")
# Files of torch before 1.6, among them several published ones, open with this pickled number instead of a zip.
_OLD_FORMAT = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
_NESTED_UNDER = ("state_dict", "model")
# A damaged or hostile pickle makes the weights-only reader stumble in any of these ways.
_STUMBLES = (
    pickle.UnpicklingError,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
    ImportError,
)


def read_weights(path: str | Path, largest: int = LARGEST_FILE) -> dict[str, Tensor]:
    """The tensors of a `.safetensors`, `.pth` or `.pt` file by name, on the processor.

    Args:
        path: a local file. In a pickled file the tensors may lie under `state_dict` or `model`.
        largest: bytes of the largest file that is accepted.

    Raises:
        PlanError: if there is no such file, it is too large, damaged, or holds anything but weights.
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if suffix not in (".safetensors", ".pth", ".pt"):
        raise PlanError(f"weights: {path} does not do; weights are files that end in .safetensors, .pth or .pt.")
    if not path.is_file():
        raise PlanError(f"weights: there is no file {path}. Give the path of a file on this machine.")
    size = path.stat().st_size
    if size > largest:
        raise PlanError(f"weights: {path} has {size:,} bytes; at most {largest:,} are read.")
    found = _read_safetensors(path) if suffix == ".safetensors" else _read_pickled(path, size)
    for name, tensor in found.items():
        if not tensor.is_floating_point():
            continue
        if tensor.element_size() == 1:
            raise PlanError(f"weights: {name!r} in {path} is cut to 8 bits; take the file with 16 or 32 bits a number.")
        if not tensor.isfinite().all():
            raise PlanError(f"weights: {name!r} in {path} holds values that are not finite; the file is of no use.")
    return found


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - the file is no dict
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise PlanError(f"weights: {path} is damaged or no safetensors file ({error}).") from error


def _read_pickled(path: Path, size: int) -> dict[str, Tensor]:
    zipped = zipfile.is_zipfile(path)
    if zipped:
        _check_members(path, size)
    elif not _opens_like_old_format(path):
        raise PlanError(
            f"weights: {path} is not a file that torch.save wrote, so it was not opened. "
            "Save the weights as .safetensors, or with torch.save(model.state_dict(), path)."
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except _STUMBLES as error:
        # Of the reader's own words only the name is passed on: they go on to advise reading without protection.
        asked = re.search(r"GLOBAL (\S{1,100})", str(error))
        asks = f" (it asks for {asked[1]})" if asked else ""
        raise PlanError(
            f"weights: {path} is damaged or holds more than weights{asks}, and was refused without running anything "
            "of it. Where you trust its maker, have model.state_dict() saved alone, best as .safetensors."
        ) from error
    return _plain_tensors(content, path, size)


def _opens_like_old_format(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_OLD_FORMAT)) == _OLD_FORMAT


def _check_members(path: Path, size: int) -> None:
    """Refuse archives that are not what torch.save writes: one folder, known names, nothing packed or overlapping."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise PlanError(f"weights: {path} is damaged ({error}).") from error
    names = [member.filename for member in members]
    strange = [name for name in names if not _MEMBER.fullmatch(name)]
    if strange:
        raise PlanError(
            f"weights: {path} holds {listing(strange, 3)}, which a file of weights does not; "
            "programs and archives are not opened. Save model.state_dict() alone, best as .safetensors."
        )
    if len({name.split("/")[0] for name in names}) != 1 or len(set(names)) != len(names):
        raise PlanError(f"weights: {path} holds several folders or one name twice; torch.save writes neither.")
    # torch.save never compresses, so whatever unpacks to more than the file itself was made to fill memory.
    packed = [member.filename for member in members if member.compress_type != zipfile.ZIP_STORED]
    if packed or sum(member.file_size for member in members) > size:
        raise PlanError(f"weights: {path} would unpack to more than its {size:,} bytes; torch.save packs nothing.")
    index = sum(member.file_size for member in members if member.filename.endswith(".pkl"))
    if index > LARGEST_INDEX:
        raise PlanError(f"weights: the index of {path} has {index:,} bytes; at most {LARGEST_INDEX:,} are read.")


def _plain_tensors(content: object, path: Path, size: int) -> dict[str, Tensor]:
    for key in _NESTED_UNDER:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    entries = content if isinstance(content, Mapping) else {}
    found = {str(name): value.detach() for name, value in entries.items() if isinstance(value, Tensor)}
    if not found:
        seen = f"a mapping of {listing(entries, 5)}" if entries else type(content).__name__
        raise PlanError(
            f"weights: {path} holds no tensors by name, but {seen}. They are looked for at the top and under "
            f"{' and '.join(repr(key) for key in _NESTED_UNDER)}."
        )
    for name, tensor in found.items():
        # A view can claim any shape over few numbers; honest weights never need more room than their file.
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
            raise PlanError(f"weights: {name!r} in {path} is sparse, quantised or empty; only plain tensors are read.")
        if math.prod(tensor.shape) * tensor.element_size() > size:
            raise PlanError(f"weights: {name!r} in {path} claims more numbers than the file has bytes for.")
    return found
