"""Saving when the disk is full, failing, or the process is killed: a checkpoint that is whole is always there."""

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lamina.training import load_checkpoint, save_checkpoint
from lamina.training.saving import Saver

CALLS = ["mkdir", "open", "fsync", "replace", "chmod", "rmdir", "unlink"]
"""The functions of `os` on the way of a checkpoint, besides the writing itself, which /dev/full stands for."""


def state(step: int) -> dict[str, Any]:
    return {"step": step, "weights": {"w": torch.full((3, 3), float(step))}}


def failing(name: str, turn: int, fail: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the turn-th call of `os.<name>` fail; tells each call in the list that it returns."""
    calls: list[str] = []
    real = getattr(os, name)

    def call(*arguments: Any, **more: Any) -> Any:
        calls.append(name)
        if len(calls) == turn:
            fail()
        return real(*arguments, **more)

    monkeypatch.setattr(os, name, call)
    return calls


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("name", CALLS)
def test_whatever_call_fails_a_checkpoint_is_there_and_the_next_save_leaves_no_debris(
    tmp_path: Path, name: str, number: int
) -> None:
    def fail() -> None:
        raise OSError(number, os.strerror(number))

    turn, told = 0, list[str]()
    while True:
        turn += 1
        folder = tmp_path / str(turn)
        save_checkpoint(folder, state(1))
        saver = Saver(folder, 0, told.append)
        with pytest.MonkeyPatch.context() as patched:
            calls = failing(name, turn, fail, patched)
            took = saver.save(state(2))
        assert load_checkpoint(folder)["step"] == 2 if took else load_checkpoint(folder)["step"] in (1, 2)
        assert saver.save(state(3))
        assert [path.name for path in folder.iterdir()] == [sorted(path.name for path in folder.iterdir())[-1]]
        assert load_checkpoint(folder)["step"] == 3
        if len(calls) < turn:
            break
    assert turn > 1 or name in ("mkdir", "rmdir", "unlink"), "the call is on the way"


EXIT = """
import os, sys
from pathlib import Path
import torch
from lamina.training import load_checkpoint, save_checkpoint
folder, names = Path(sys.argv[1]), sys.argv[2].split(",")
def state(step): return {"step": step, "weights": {"w": torch.full((3, 3), float(step))}}
def run(name, turn, place):
    calls, real = [], getattr(os, name)
    def call(*arguments, **more):
        calls.append(name)
        if len(calls) == turn:
            os._exit(9)
        return real(*arguments, **more)
    setattr(os, name, call)
    save_checkpoint(place, state(2))
    os._exit(0)
for name in names:
    turn = 1
    while True:
        place = folder / f"{name}-{turn}"
        save_checkpoint(place, state(1))
        child = os.fork()
        if child == 0:
            run(name, turn, place)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert load_checkpoint(place)["step"] in ((1, 2) if code else (2,)), (name, turn)
        save_checkpoint(place, state(3))
        assert len(list(place.iterdir())) == 1, (name, turn, list(place.iterdir()))
        print(name, turn, code)
        if not code:
            break
        turn += 1
"""


def test_whatever_call_the_process_ends_in_a_checkpoint_is_there(tmp_path: Path) -> None:
    """In a process of its own: the children are copies of it, and pytest is not one to copy."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", EXIT, str(tmp_path), ",".join(CALLS)],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sum(line.endswith(" 9") for line in done.stdout.splitlines()) >= 10


def test_a_disk_that_fails_is_told_once_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    saver = Saver(tmp_path, 0, told.append)
    assert saver.save(state(1))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
        assert not saver.save(state(2)) and not saver.save(state(3))
    assert len(told) == 1
    assert "step 2 could not be written" in told[0] and "the last good one is of step 1" in told[0]
    assert load_checkpoint(tmp_path)["step"] == 1
    assert saver.save(state(4)) and "works again" in told[1]


def test_a_full_disk_under_the_writer_itself_is_an_error_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"x")

    told: list[str] = []
    monkeypatch.setattr("lamina.training.checkpoint.save_file", full)
    assert not Saver(tmp_path, 0, told.append).save(state(1))
    assert "No space left" in told[0]


def test_saving_takes_its_share_of_the_time_and_no_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock, saves = [0.0], []

    def slow(folder: Path, state: object) -> None:
        clock[0] += 0.5
        saves.append(clock[0])

    monkeypatch.setattr("lamina.training.saving.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("lamina.training.saving.save_checkpoint", slow)
    saver = Saver(tmp_path, 30.0, lambda text: None)
    while clock[0] < 3600:
        clock[0] += 0.1
        if saver.due(epoch_ended=False):
            saver.save({"step": 1})
    assert 0.005 * 3600 < 0.5 * len(saves) <= 0.01 * 3600 + 0.5
    assert 29 < saves[0] < 32


def test_a_large_state_is_written_aside_as_it_was_when_it_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamina.training.saving.LARGE_SECONDS", 0.0)
    may_go_on, told, began = threading.Event(), list[str](), threading.Event()

    def slow(folder: Path, values: dict[str, Any]) -> None:
        if threading.current_thread() is not threading.main_thread():
            began.set()
            assert may_go_on.wait(20)
        if values["step"] == 3:
            raise OSError(errno.ENOSPC, "No space left")
        save_checkpoint(folder, values)

    monkeypatch.setattr("lamina.training.saving.save_checkpoint", slow)
    saver = Saver(tmp_path, 0, told.append, aside=True)
    assert saver.save(state(1), wait=False), "the first one shows how long it takes"
    values = state(2)
    saver.save(values, wait=False)
    assert began.wait(20) and not saver.due(epoch_ended=True), "one is on its way"
    values["weights"]["w"] += 100
    assert load_checkpoint(tmp_path)["step"] == 1
    may_go_on.set()
    saver.save(state(3), wait=False)
    saver.wait()
    assert torch.equal(load_checkpoint(tmp_path)["weights"]["w"], state(2)["weights"]["w"])
    assert saver.saved_step == 2 and "step 3 could not be written" in told[0]
    assert saver.due(epoch_ended=True) and saver.save(state(4)) and "works again" in told[1]
    assert load_checkpoint(tmp_path)["step"] == 4
