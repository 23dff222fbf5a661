"""Archives are read in place; what an honest archive does not claim is refused."""

import io
import stat
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lamina.data.archive import ARCHIVES, open_archive
from lamina.ground import DataError

FILES = {"train/cat/1.txt": b"one", "train/dog/2.txt": b"two" * 1000, "readme.md": b""}
CLUTTER = {"__MACOSX/train/._1.txt": b"x", "train/.DS_Store": b"x", ".hidden/a": b"x"}


def packed(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path
    mode = {".tar": "w:", ".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}[path.suffix]
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_members_are_listed_read_and_told_apart(tmp_path, suffix):
    archive = open_archive(packed(tmp_path / f"a{suffix}", {**FILES, **CLUTTER}), "a")
    assert list(archive.members) == sorted(FILES)
    assert {name: archive.read(name) for name in archive.members} == FILES
    assert len({archive.fingerprint(name) for name in archive.members}) == len(FILES)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [f"a{suffix}"]  # nothing was extracted
    with pytest.raises(DataError, match=r"a has no member 'train/cat/9.txt'. Did you mean 'train/cat/1.txt'"):
        archive.read("train/cat/9.txt")


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_many_threads_may_read_at_once(tmp_path, suffix):
    files = {f"{number}.bin": bytes([number]) * 5000 for number in range(100)}
    archive = open_archive(packed(tmp_path / f"a{suffix}", files), "a")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(archive.read, files)) == list(files.values())


@pytest.mark.parametrize(
    "written, member",
    [("7.jpg", "train/7.jpg"), ("train/7.jpg", "train/7.jpg"), ("./train\\7.jpg", "train/7.jpg"), ("../7.jpg", None)],
)
def test_a_path_is_found_with_or_without_the_outer_folder(tmp_path, written, member):
    archive = open_archive(packed(tmp_path / "photos.zip", {"train/7.jpg": b"x"}), "photos.zip")
    assert archive.find(written) == member


def test_a_path_may_begin_with_the_archives_own_name(tmp_path):
    archive = open_archive(packed(tmp_path / "train.zip", {"7.jpg": b"x", "8.jpg": b"y"}), "train.zip")
    assert archive.find("train/7.jpg") == "7.jpg"


def _encrypted(path: Path) -> Path:
    data = bytearray(packed(path, {"a.txt": b"x"}).read_bytes())
    data[6] |= 1  # the local head
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the directory
    path.write_bytes(data)
    return path


def _linked_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return path


def _linked_tar(path: Path) -> Path:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    return path


def _damaged(path: Path) -> Path:
    path.write_bytes(b"no archive at all" * 100)
    return path


def _nameless(path: Path) -> Path:
    """A member whose name is said to be 0 bytes long, in both heads."""
    data = bytearray(packed(path, {"a": b""}).read_bytes())
    directory = data.index(b"PK\x01\x02")
    data[directory + 28] = data[26] = 0
    del data[directory + 46], data[30]
    end = data.index(b"PK\x05\x06")
    data[end + 12] -= 1  # bytes of the directory
    data[end + 16] -= 1  # where it begins
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda folder: _nameless(folder / "a.zip"), ["not a sound .zip", "no name", "again"]),
        (lambda folder: packed(folder / "a.zip", {"../evil.txt": b"x"}), ["'../evil.txt'", "leads out"]),
        (lambda folder: packed(folder / "a.tar", {"/etc/evil": b"x"}), ["'/etc/evil'", "leads out"]),
        (lambda folder: packed(folder / "a.tar.gz", {"a/../../evil": b"x"}), ["leads out", "relative names"]),
        (lambda folder: _linked_zip(folder / "a.zip"), ["'link'", "is a link"]),
        (lambda folder: _linked_tar(folder / "a.tar"), ["'link'", "is a link"]),
        (lambda folder: _encrypted(folder / "a.zip"), ["a.txt is encrypted", "password"]),
        (lambda folder: _damaged(folder / "a.zip"), ["not a sound .zip", "again"]),
        (lambda folder: _damaged(folder / "a.tar.gz"), ["not a sound .tar", "again"]),
        (lambda folder: _damaged(folder / "a.tar.xz"), ["not a sound .tar", "again"]),
    ],
)
def test_what_no_honest_archive_claims_is_refused(tmp_path, make, words):
    path = make(tmp_path)
    with pytest.raises(DataError) as error:
        open_archive(path, path.name)
    for word in [path.name, *words]:
        assert word in str(error.value)


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_an_archive_made_to_fill_a_disk_is_refused(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr("lamina.data.place.FREE_BYTES", 1 << 20)
    path = packed(tmp_path / f"a{suffix}", {"zeros": bytes(4 << 20)})
    with pytest.raises(DataError, match=r"unpacks to .*: it looks made to fill a (disk|memory)"):
        open_archive(path, "a")


def test_a_damaged_member_is_named_when_it_is_read(tmp_path):
    path = packed(tmp_path / "a.zip", {"good.bin": b"y" * 100, "bad.bin": bytes(range(256)) * 20})
    data = bytearray(path.read_bytes())
    data[data.index(b"bad.bin") + 12] ^= 0xFF
    path.write_bytes(data)
    archive = open_archive(path, "a.zip")
    assert archive.read("good.bin") == b"y" * 100
    with pytest.raises(DataError, match=r"a.zip/bad.bin cannot be unpacked"):
        archive.read("bad.bin")


def test_names_of_a_tar_that_are_no_utf8_are_read_byte_by_byte(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        info = tarfile.TarInfo("caf\u00e9.txt")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    archive = open_archive(tmp_path / "a.tar", "a.tar")
    assert archive.members == ["caf\u00e9.txt"] and archive.read("caf\u00e9.txt") == b"x"
