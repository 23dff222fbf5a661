"""Archives read in place: .zip and .tar, plain or compressed; members are opened one by one and never extracted.

What an archive says about itself is not trusted: names that lead elsewhere, links, encrypted members and archives
that unpack to far more than they weigh are refused before anything is read.
"""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

from lamina.data.place import (
    MAX_MEMBERS,
    MAX_UNPACKED,
    Place,
    find_member,
    inside,
    is_clutter,
    most_unpacked,
    stamp,
)
from lamina.ground.errors import DataError, nearest

_COPY_BYTES = 1 << 20
_LEAST_BYTES = 4 << 10
# As the readers of Python stumble over what is damaged or made to harm.
_STUMBLES = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError,
    LookupError, ArithmeticError, RuntimeError, MemoryError,
)  # fmt: skip


class _Index:
    """Names, sizes and limits that zip and tar share."""

    def __init__(self, path: Path, name: str):
        self.name = name
        self._path = path
        self._own_name = path.name[: -len(archive_suffix(path.name))]
        self._lock = threading.Lock()
        self._allowed = most_unpacked(path.stat().st_size)
        self._total = 0
        self._seen = 0

    def checked_name(self, raw: str, size: int, is_link: bool) -> str:
        """A member's name, tidied, after checking what it claims."""
        member = inside(raw)
        if member is None:
            raise DataError(f"{self.name}: the member {raw!r} leads out of the archive. Pack it with relative names.")
        if is_link:
            raise DataError(f"{self.name}: the member {raw!r} is a link or a device. Pack the files themselves.")
        if size > MAX_UNPACKED:
            raise DataError(f"{self.name}/{member} unpacks to {size:,} bytes; at most {MAX_UNPACKED:,} are read.")
        self._seen += 1
        self.count(size)
        if self._seen > MAX_MEMBERS:
            raise DataError(f"{self.name} holds more than {MAX_MEMBERS:,} files. Split it.")
        return member

    def count(self, size: int) -> None:
        """Add to what the archive unpacks to, and refuse it beyond reason."""
        self._total += size
        if self._total > self._allowed:
            raise DataError(
                f"{self.name} weighs {self._path.stat().st_size:,} bytes and unpacks to more than {self._allowed:,}: "
                f"it looks made to fill a disk. If it is sound, unpack it and give the folder."
            )

    def settle(self, names: Iterable[str]) -> None:
        """Fix the members, once all are known."""
        self.members: Sequence[str] = sorted(name for name in names if not is_clutter(name))
        firsts = {name.partition("/")[0] for name in self.members}
        self._outer = firsts.pop() if len(firsts) == 1 else ""

    def find(self, path: str) -> str | None:
        """The member that a path written in a table means."""
        tidy = inside(path)
        return tidy and find_member(tidy, self._names, self._own_name, self._outer)

    @property
    def _names(self) -> Mapping[str, object]:
        raise NotImplementedError

    def local(self, member: str) -> None:
        """Nothing in an archive lies on disk by itself."""

    def missing(self, member: str) -> DataError:
        """The error for a member that is not there."""
        return DataError(f"{self.name} has no member {member!r}.{nearest(member, self.members)}")


class ZipArchive(_Index):
    """A .zip file."""

    def __init__(self, path: Path, name: str):
        super().__init__(path, name)
        try:
            self._zip = zipfile.ZipFile(path)
        except _STUMBLES as error:
            raise DataError(f"{name} is not a sound .zip file ({error}). Copy or download it again.") from error
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            if not info.filename:
                raise DataError(f"{name} is not a sound .zip file (a member has no name). Copy or download it again.")
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise DataError(f"{name}/{info.filename} is encrypted. Unpack it with its password first.")
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            if info.file_size > most_unpacked(info.compress_size):
                raise _too_packed(f"{name}/{info.filename}", info.compress_size, info.file_size)
            self._infos[self.checked_name(info.filename, info.file_size, is_link)] = info
        self.settle(self._infos)

    @property
    def _names(self) -> Mapping[str, object]:
        return self._infos

    def read(self, member: str) -> bytes:
        """The whole member; its checksum is verified."""
        info = self._infos.get(member)
        if info is None:
            raise self.missing(member)
        try:
            with self._lock:
                return read_member(self._zip, info)
        except _STUMBLES as error:
            raise DataError(f"{self.name}/{member} cannot be unpacked: {error}. Pack or download it again.") from error

    def fingerprint(self, member: str) -> str:
        """The checksum and size that the archive's directory states."""
        info = self._infos.get(member)
        return f"{info.CRC:08x}-{info.file_size}" if info else "missing"


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A whole member, and never more than the size that it claims: `ZipFile.read` unpacks first and cuts afterwards."""
    # Without a limit of its own a piece of bzip2 unpacks to 20,000 times its size.
    limited = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    content = io.BytesIO()
    with archive.open(info) as packed:
        while piece := packed.read(_COPY_BYTES if limited else _LEAST_BYTES):
            content.write(piece)
    return content.getvalue()


def check_zip(packed: Path | IO[bytes], where: str) -> None:
    """Refuse a .zip that another format is made of (NumPy, Excel) if it unpacks to far more than it weighs.

    Raises:
        DataError: if it does, or is no sound .zip.
    """
    try:
        with zipfile.ZipFile(packed) as archive:
            infos = archive.infolist()
    except _STUMBLES as error:
        raise DataError(f"{where} is damaged ({error}). Save or download it again.") from error
    weight = packed.stat().st_size if isinstance(packed, Path) else packed.seek(0, io.SEEK_END)
    size = sum(info.file_size for info in infos)
    if size > most_unpacked(weight):
        raise _too_packed(where, weight, size)


def _too_packed(where: str, weight: int, size: int) -> DataError:
    return DataError(
        f"{where} weighs {weight:,} bytes and unpacks to {size:,}: it looks made to fill a memory. If it is sound, "
        f"save it without compression."
    )


class TarArchive(_Index):
    """A .tar file. A compressed one cannot be read from its middle: it is unpacked once into a nameless file."""

    def __init__(self, path: Path, name: str):
        super().__init__(path, name)
        unpack = ARCHIVES[archive_suffix(path.name)][1]
        self._extents: dict[str, tuple[int, int]] = {}
        self._file: IO[bytes]
        self._stamp = stamp(path)
        try:
            # Both stay open as long as this object lives: members are read when they are asked for.
            self._file = self._unpacked(unpack(path)) if unpack else open(path, "rb")  # noqa: SIM115
            with tarfile.open(fileobj=self._file, mode="r:") as tar:
                self._total = 0
                for info in tar:
                    if not info.isdir():
                        readable = _readable(info.name)
                        member = self.checked_name(readable, info.size, not info.isreg() or info.issparse())
                        self._extents[member] = (info.offset_data, info.size)
        except _STUMBLES as error:
            raise DataError(f"{name} is not a sound .tar file ({error}). Copy or download it again.") from error
        self.settle(self._extents)

    def _unpacked(self, packed: io.BufferedIOBase) -> IO[bytes]:
        target = tempfile.TemporaryFile(prefix="lamina-")  # noqa: SIM115
        try:
            with packed:
                while piece := packed.read(_COPY_BYTES):
                    self.count(len(piece))
                    target.write(piece)
            target.seek(0)
        except BaseException:
            target.close()
            raise
        return target

    @property
    def _names(self) -> Mapping[str, object]:
        return self._extents

    def read(self, member: str) -> bytes:
        """The whole member."""
        if member not in self._extents:
            raise self.missing(member)
        start, size = self._extents[member]
        with self._lock:
            self._file.seek(start)
            data = self._file.read(size)
        if len(data) < size:
            raise DataError(f"{self.name}/{member} ends after {len(data):,} of {size:,} bytes. Pack it again.")
        return data

    def fingerprint(self, member: str) -> str:
        """Size and time of change of the archive, and where in it the member lies."""
        start, size = self._extents.get(member, (-1, -1))
        return f"{self._stamp}-{start}-{size}"

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


def _readable(name: str) -> str:
    """A member's name; one that is no UTF-8 was most likely written where a byte was a letter."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("latin-1")
    return name


Unpack = Callable[[Path], io.BufferedIOBase]

ARCHIVES: dict[str, tuple[type[ZipArchive] | type[TarArchive], Unpack | None]] = {
    ".zip": (ZipArchive, None),
    ".tar": (TarArchive, None),
    ".tar.gz": (TarArchive, gzip.GzipFile),
    ".tgz": (TarArchive, gzip.GzipFile),
    ".tar.bz2": (TarArchive, bz2.BZ2File),
    ".tar.xz": (TarArchive, lzma.LZMAFile),
}
"""By suffix: what reads it, and what takes its compression away first."""


def archive_suffix(name: str) -> str:
    """The suffix of ARCHIVES that a file name ends in, or an empty string."""
    return max((suffix for suffix in ARCHIVES if name.lower().endswith(suffix)), key=len, default="")


def open_archive(path: Path, name: str) -> Place:
    """The archive at a path, ready to be read from any thread.

    Args:
        path: a file whose name ends in one of ARCHIVES.
        name: what messages and references call it.

    Raises:
        DataError: if it is damaged, encrypted, or claims what an honest archive does not.
    """
    return ARCHIVES[archive_suffix(path.name)][0](path, name)
