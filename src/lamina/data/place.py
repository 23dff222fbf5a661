"""Where files lie: a folder or an archive, asked in the same way; and one file in such a place."""

import gzip
import io
import os
import posixpath
import re
import zlib
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Protocol

from lamina.ground.errors import DataError

MAX_MEMBERS = 5_000_000
"""Files in one folder or archive."""
MAX_UNPACKED = 8 << 30
"""Bytes of one file after unpacking; it is held in memory."""

MAX_RATIO = 200
"""What is packed may unpack to this many times its own size ..."""
FREE_BYTES = 64 << 20
"""... or to this many bytes, whichever is more."""

_PIECE = 1 << 20
_CLUTTER = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


class Place(Protocol):
    """A folder or an archive; members are paths inside it, with `/` between the steps."""

    @property
    def name(self) -> str:
        """As messages and references call it: `train.zip`."""

    @property
    def members(self) -> Sequence[str]:
        """Every file in it that is not hidden, sorted."""

    def find(self, path: str) -> str | None:
        """The member that a path written in a table means, or None."""

    def read(self, member: str) -> bytes:
        """The whole content.

        Raises:
            DataError: if the member is not there or damaged.
        """

    def local(self, member: str) -> Path | None:
        """Where the member lies on disk by itself, or None inside an archive."""

    def fingerprint(self, member: str) -> str:
        """Changes with the content; cheap."""


def most_unpacked(weight: int) -> int:
    """Bytes that so many packed bytes may unpack to."""
    return max(MAX_RATIO * weight, FREE_BYTES)


def is_clutter(member: str) -> bool:
    """Whether a file is hidden or left by an operating system: `.DS_Store`, `__MACOSX/...`."""
    return any(step.startswith(".") or step in _CLUTTER for step in member.split("/"))


def inside(path: str) -> str | None:
    """A relative path, tidied; None if it is absolute or leads out of its place with `..`."""
    tidy = posixpath.normpath(path.strip().replace("\\", "/"))
    leaves = tidy.startswith(("/", "../")) or tidy in (".", "..") or re.match(r"[A-Za-z]:", tidy)
    return None if leaves else tidy


def find_member(path: str, members: Container[str], own_name: str, outer: str = "") -> str | None:
    """The member that a written path means: itself, without the place's own name before it, or under `outer`.

    Args:
        path: relative and tidy.
        members: what there is.
        own_name: the place's name without a suffix; `train/7.jpg` may mean `7.jpg` in `train.zip`.
        outer: the one folder that holds everything in the place, or an empty string.
    """
    tries = [path, path.removeprefix(f"{own_name}/"), f"{outer}/{path}"]
    return next((member for member in tries if member in members), None)


def stamp(path: Path) -> str:
    """Size and time of change of a file on disk."""
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def check_name(name: str) -> None:
    """That a file's name is text: what stands in tables, messages and reports cannot be anything else.

    Raises:
        DataError: if it is not.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"The name {name!r} is no UTF-8. Rename it first (the program convmv does so for whole folders)."
        ) from None


class Folder:
    """A folder on disk. Its files are listed only when asked for: it may be somebody's home."""

    def __init__(self, path: Path, name: str):
        self.path = path.resolve()
        self.name = name

    @cached_property
    def members(self) -> Sequence[str]:
        """Every file below it that is not hidden, sorted; linked folders are followed once."""
        found: list[str] = []
        seen: set[str] = set()
        for folder, inner, files in os.walk(self.path, followlinks=True):
            real = os.path.realpath(folder)
            relative = Path(folder).relative_to(self.path).as_posix()
            if real in seen or (relative != "." and is_clutter(relative)):
                inner.clear()
                continue
            seen.add(real)
            found += [posixpath.normpath(f"{relative}/{file}") for file in files if not is_clutter(file)]
            if len(found) > MAX_MEMBERS:
                raise DataError(f"{self.path} holds more than {MAX_MEMBERS:,} files. Give a smaller folder.")
        for member in found:
            check_name(f"{self.name}/{member}")
        return sorted(found)

    def find(self, path: str) -> str | None:
        """The file that a path written in a table means, if it lies in this folder, links followed."""
        if os.path.isabs(path):
            path = os.path.relpath(os.path.normpath(path), self.path)
        tidy = inside(path)
        member = tidy and find_member(tidy, self._below, self.path.name)
        return member if member and self._below.holds(member) else None

    @cached_property
    def _below(self) -> "_FilesBelow":
        return _FilesBelow(self.path)

    def read(self, member: str) -> bytes:
        """The whole file."""
        try:
            return (self.path / member).read_bytes()
        except FileNotFoundError:
            raise DataError(f"{self.name}/{member} is not there any more. Put it back, or leave out its row.") from None
        except OSError as error:
            raise DataError(f"{self.name}/{member} cannot be read: {error.strerror}.") from error

    def local(self, member: str) -> Path | None:
        """The file on disk."""
        return self.path / member

    def fingerprint(self, member: str) -> str:
        """Size and time of change."""
        try:
            return stamp(self.path / member)
        except FileNotFoundError:
            return "missing"


class _FilesBelow(Container[str]):
    """The files of a folder, to be asked for and never listed."""

    def __init__(self, path: Path):
        self.path = path
        self._within = cache(self._is_within)

    def holds(self, member: str) -> bool:
        """Whether a file lies below this folder when all links are followed: a table may not lead out by one."""
        own = self.path / member
        return self._within(own.parent) and (not own.is_symlink() or self._is_within(own))

    def _is_within(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.path)

    def __contains__(self, member: object) -> bool:
        try:
            return (self.path / str(member)).is_file()
        except (OSError, ValueError):  # a cell that can be no file name: too long, or with a NUL
            return False


@dataclass(frozen=True)
class File:
    """One file that rows are read from."""

    place: Place
    member: str
    name: str
    """As the person knows it: `houses.csv`, `data.zip/train.csv`."""

    @property
    def is_packed(self) -> bool:
        """Whether the file by itself is compressed."""
        return self.member.lower().endswith(".gz")

    @property
    def plain_name(self) -> str:
        """The file's own name in lower case, without `.gz`."""
        return posixpath.basename(self.member).lower().removesuffix(".gz")

    @property
    def path(self) -> Path | None:
        """Where its content lies on disk as it is, or None when it must be unpacked first."""
        return None if self.is_packed else self.place.local(self.member)

    def read(self) -> bytes:
        """The whole content, unpacked.

        Raises:
            DataError: if it is not there, damaged, or larger than MAX_UNPACKED.
        """
        data = self.place.read(self.member)
        return gunzip(data, self.name) if self.is_packed else data

    def head(self, length: int) -> bytes:
        """The first bytes, unpacked."""
        if self.path is None:
            return self.read()[:length]
        with open(self.path, "rb") as opened:
            return opened.read(length)


def gunzip(data: bytes, where: str) -> bytes:
    """The content of a .gz file.

    Raises:
        DataError: if it is damaged, or unpacks to more than MAX_UNPACKED or than an honest file does.
    """
    packed, content = io.BytesIO(data), io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=packed) as opened:
            while piece := opened.read(_PIECE):
                size = content.tell() + content.write(piece)
                if size > min(MAX_UNPACKED, most_unpacked(packed.tell())):
                    raise DataError(
                        f"{where} weighs {len(data):,} bytes and unpacks to more than {size:,}: it looks made to fill "
                        f"a memory. If it is sound, unpack it, split it or save it as Parquet."
                    )
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise DataError(f"{where} is a damaged .gz file ({error}). Copy or download it again.") from error
    return content.getvalue()
