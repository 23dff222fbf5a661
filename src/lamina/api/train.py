"""Training as it is asked for: what a person points at, and what they want otherwise."""

import time as clock_time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamina.api.choice import choose, look, other_plan
from lamina.api.lines import data_lines
from lamina.api.one_training import Training
from lamina.api.outlook import Outlook, outlook
from lamina.api.place import place, shown
from lamina.api.request import read_request
from lamina.api.run import Run
from lamina.api.signals import Signals
from lamina.ground import prepare_process
from lamina.hidden import HiddenLayer
from lamina.report import Silent, Teller, Terminal
from lamina.run import Job, RunFolder, help_fit
from lamina.training import Ranks, joined


def train(data: object | Sequence[object], *, predict: str | Sequence[str] | None = None,
          test: object | Sequence[object] | None = None, plan: str | Path | Mapping[str, Any] | None = None,
          set: Mapping[str, Any] | Sequence[str] | None = None, time: str | float | None = None,
          split: str | None = None, out: str | Path | None = None, seed: int | None = None, fresh: bool = False,
          hidden: HiddenLayer | None = None, quiet: bool = False, started: float | None = None,
          task: str | None = None, scale: int | None = None) -> Run:  # fmt: skip
    """Train a network on data and judge it; or go on with a training that was interrupted.

    Args:
        data: a path (CSV, Parquet, folder of pictures, archive ...), a table in memory, or a list of several.
        predict: the columns to predict; None takes what the data marks, or the likeliest column, and says so.
        test: data to judge on, or a list of several; without it some rows are held out.
        plan: a plan file, or its values, laid over what Lamina chooses.
        set: single keys over the plan: {"training.epochs": 12}.
        time: the most that all of it may take: "5m", seconds. Without it, and without epochs or steps, five minutes.
        split: how rows are held out: random, stratified, group, time, given, or a column that names the parts.
        out: the folder of the run; runs/<name of the data> when None.
        seed: all randomness follows from it.
        fresh: train into a new numbered folder even if there is a run.
        hidden: hidden layers of one's own in place of the plan's.
        quiet: say nothing.
        started: `time.monotonic()` when the command began, for the time to be kept from there.
        task: instead of predicting a column, "generate" makes pictures like those given, and "enlarge" learns to make
            photos larger.
        scale: how many times larger, for "enlarge": 2 to 4.

    Raises:
        DataError, PlanError: if the data or the plan cannot be used; the message says how to mend it.
        RunError: if the folder holds something else, or a training of another kind.
        Interrupted: on Ctrl-C, with everything saved.
        MachineError: if one of several processes that train together ended early.
        Dismissed: in the others of several processes, if the first one ended early.
    """
    prepare_process()
    started = clock_time.monotonic() if started is None else started
    with joined() as ranks:
        if ranks is not None and ranks.rank > 0:
            return _help(ranks, hidden)
        sources = _sources(data)
        tests = [] if test is None else _sources(test)
        request = read_request(sources, tests, predict, plan, set, time, split, seed, task, scale)
        teller: Teller = Silent() if quiet else Terminal()
        folder = RunFolder(place(sources, out, fresh, request))
        if folder.finished:
            run = shown(folder, sources, tests, request, teller)
        else:
            with folder.locked():
                run = Training(sources, tests, request, folder, hidden, teller, started, ranks).run()
        if ranks is not None:
            ranks.tell(run.path)
        return run


def _help(ranks: Ranks, hidden: HiddenLayer | None) -> Run:
    """What all processes but the first do: take part in each training that it begins, until the run is written."""
    signals = Signals()
    with signals.caught(), signals.saving():  # the first process hears of a signal too, and decides when to stop
        while isinstance(order := ranks.hear(), Job):
            help_fit(ranks, order, hidden)
    return Run(order, hidden)


def make_plan(data: object | Sequence[object], *, predict: str | Sequence[str] | None = None,
              test: object | Sequence[object] | None = None, plan: str | Path | Mapping[str, Any] | None = None,
              set: Mapping[str, Any] | Sequence[str] | None = None, time: str | float | None = None,
              split: str | None = None, seed: int | None = None,
              hidden: HiddenLayer | None = None, quiet: bool = True, task: str | None = None,
              scale: int | None = None) -> Outlook:  # fmt: skip
    """What `train` would do with this data, before anything is spent: see `train` for the arguments."""
    prepare_process()
    sources = _sources(data)
    tests = [] if test is None else _sources(test)
    request = read_request(sources, tests, predict, plan, set, time, split, seed, task, scale)
    seen = look(sources, tests, request)
    chosen = choose(seen, request, None)
    other = None if hidden is not None else other_plan(seen, request, chosen)
    found = outlook(seen, chosen, request.seconds, hidden, other)
    if not quiet:
        for label, text in [*data_lines(seen), *found.lines()]:
            Terminal().say(label, text)
    return found


def _sources(data: object | Sequence[object]) -> list[object]:
    """One source or several; a tuple of (inputs, answers) in memory is one."""
    arrays = isinstance(data, tuple) and len(data) == 2 and all(hasattr(part, "shape") for part in data)
    return list(data) if isinstance(data, (list, tuple)) and not arrays else [data]
