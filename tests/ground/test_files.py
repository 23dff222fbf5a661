import errno
import hashlib
import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from lamina.ground import cache_folder, clear_debris, sha256, whole_file, whole_folder, write_json


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def write(part: Path, text: str) -> None:
    """Into the file itself, or into a file of the folder."""
    (part / "inside.txt" if part.is_dir() else part).write_text(text)


def held(path: Path) -> str:
    return (path / "inside.txt" if path.is_dir() else path).read_text()


@pytest.fixture(params=[whole_file, whole_folder])
def whole(request: pytest.FixtureRequest) -> "type[AbstractContextManager[Path]]":
    return request.param


def test_what_was_written_takes_the_place_of_a_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "thing"
    for text in ("old", "new"):
        with whole_file(path) as part:
            write(part, text)
            assert not path.exists() or held(path) == "old"
        assert held(path) == text
    assert [name for name in names(tmp_path) if "thing" not in name] == ["deep"]
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
@pytest.mark.parametrize("before", [True, False])
def test_a_failure_inside_leaves_the_old_content_and_nothing_beside_it(
    tmp_path: Path, whole, error: BaseException, before: bool
) -> None:
    path = tmp_path / "thing"
    if before:
        with whole(path) as part:
            write(part, "old")
    there = names(tmp_path)
    with pytest.raises(type(error)) as caught, whole(path) as part:
        write(part, "half")
        raise error
    assert caught.value is error, "the cause is kept: a full disk is said as such"
    assert names(tmp_path) == there
    assert not before or held(path) == "old"


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_disk_that_is_full_at_the_very_end_leaves_the_old_content(
    tmp_path: Path, whole, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "thing"
    if whole is whole_file:  # a folder is never written over
        with whole(path) as part:
            write(part, "old")
    there = names(tmp_path)

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, failing, full)
    with pytest.raises(OSError) as caught, whole(path) as part:
        write(part, "new")
    assert caught.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert whole is whole_folder or held(path) == "old"
    assert names(tmp_path) == there


def test_a_folder_that_came_to_be_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "thing"
    with whole_folder(path) as part:
        write(part, "mine")
        path.mkdir()
        write(path, "theirs")
    assert held(path) == "theirs"
    assert names(tmp_path) == ["thing", "thing/inside.txt"]


KILLED = """
import os, signal, sys
from pathlib import Path
from lamina.ground.files import whole_file, whole_folder
with {whole}(Path(sys.argv[1]) / "thing") as part:
    (part / "inside.txt" if part.is_dir() else part).write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_left_is_cleared_and_what_a_living_one_writes_is_not(tmp_path: Path, whole) -> None:
    subprocess.run([sys.executable, "-c", KILLED.format(whole=whole.__name__), str(tmp_path)], check=False)
    debris = [path for path in tmp_path.iterdir() if path.name != "thing"]
    assert len(debris) == 1
    clear_debris(tmp_path)
    assert debris[0].exists(), "too young to be told from a writer that has not locked it yet"
    with whole(tmp_path / "other") as part:
        write(part, "alive")
        clear_debris(tmp_path, settled_seconds=0)
        assert not debris[0].exists()
    assert held(tmp_path / "other") == "alive"


def test_others_may_read_what_was_written(tmp_path: Path, whole) -> None:
    with whole(tmp_path / "thing") as part:
        write(part, "text")
    assert (tmp_path / "thing").stat().st_mode & 0o444 == 0o444


@pytest.mark.parametrize("values", [{"a": [1, 2.5, None, "ü"]}, [], float("nan"), {"a": object()}])
def test_json_is_whole_or_not_there(tmp_path: Path, values: object) -> None:
    path = tmp_path / "values.json"
    if isinstance(values, list) or (isinstance(values, dict) and isinstance(values["a"], list)):
        write_json(path, values)
        assert json.loads(path.read_text("utf-8")) == values
        return
    with pytest.raises((ValueError, TypeError)):
        write_json(path, values)
    assert names(tmp_path) == []


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"lamina" * 100_000)
    assert sha256(tmp_path / "file") == hashlib.sha256(b"lamina" * 100_000).hexdigest()


def test_the_cache_lies_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("LAMINA_CACHE")
    assert cache_folder() == tmp_path / "shared" / "lamina"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "lamina"
