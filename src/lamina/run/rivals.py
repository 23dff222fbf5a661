"""Simpler ways beside a network: learned with it, and learned again when other rows are judged."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lamina.data import Table, fingerprint, split_fingerprint
from lamina.ground import DataError, PlanError
from lamina.run.baselines import Baselines, fit_baselines, naive_baseline
from lamina.run.features import Pictures
from lamina.run.folder import RunFolder
from lamina.run.prepared import Prepared, prepare
from lamina.run.study import look
from lamina.run.trained import Trained

AGAIN_SECONDS = 60.0
"""For learning again where the run does not say from how many rows: after folds, which only small tables have."""


def fit_rivals(prepared: Prepared, seconds: float,
               sizes: Mapping[str, Mapping[str, int]] | None = None) -> dict[str, Baselines]:  # fmt: skip
    """Simpler ways for every output of a plan, learned from its training rows within a time.

    Args:
        seconds: for all of them together.
        sizes: column -> model -> rows, to learn what an earlier run learned whatever time it takes.
    """
    plan = prepared.plan
    pictures = _pictures(prepared) if any(part.kind == "image" for part in plan.inputs.values()) else None
    return {
        name: fit_baselines(
            prepared.table, list(prepared.columns.values()), part, prepared.facts[f"outputs.{name}"],
            prepared.split.train, prepared.split.valid, seconds / len(plan.outputs), plan.training.seed, pictures,
            None if sizes is None else sizes[part.column],
        )
        for name, part in plan.outputs.items()
    }  # fmt: skip


def fit_rivals_again(folder: RunFolder, trained: Trained) -> dict[str, Baselines]:
    """The simpler ways that a finished run was compared with, to be measured on other rows.

    The naive answer follows from what the run keeps. Classical models are not kept, for their only form on disk runs
    code when it is loaded: they are learned again from the same rows, where the data still lies unchanged at the
    place that it was read from; otherwise a note says why there are none.
    """
    try:
        prepared = _same_rows(folder, trained)
    except _GoneError as gone:
        note = f"Only the naive way was measured: classical models are learned from the training data anew, and {gone}."
        return {
            name: Baselines([naive_baseline(part, trained.facts[f"outputs.{name}"])], [note])
            for name, part in trained.plan.outputs.items()
        }
    return fit_rivals(prepared, AGAIN_SECONDS, folder.read("evaluation.json").get("learned_from"))


def places_of(folder: RunFolder, sources: Sequence[object]) -> list[str | None]:
    """Where sources lie, as seen from the run's folder, so that both may move together; None for what has no place."""
    return [_place(folder, source) if isinstance(source, (str, Path)) else None for source in sources]


def _place(folder: RunFolder, source: str | Path) -> str:
    path = Path(source).expanduser().resolve()
    try:
        return Path(os.path.relpath(path, folder.path.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return str(path)


class _GoneError(Exception):
    """The training rows cannot be had again; the message says why, in the middle of a sentence."""


def _same_rows(folder: RunFolder, trained: Trained) -> Prepared:
    """The rows that the run was trained on, divided as they were.

    Raises:
        _GoneError: if they are not there any more, or not the same.
    """
    state: dict[str, Any] = folder.state()
    request, plan = state["request"], trained.plan
    found, judged = _where_it_lies(folder, state)
    try:
        seen = look(found, judged, request["predict"], request["given"], plan.training.seed)
    except DataError as error:
        raise _GoneError(f"it cannot be read any more ({error})") from error
    except PlanError as error:  # accepted then, by another version
        raise _GoneError(f"it is not accepted any more ({error})") from error
    table = seen.table
    if fingerprint(seen.found, seen.digest) != state["data"]:
        raise _GoneError(f"{table.name} has changed since")
    if split_fingerprint(seen.split) != folder.read("data.json")["split"]["fingerprint"]:
        raise _GoneError(f"the rows of {table.name} are divided otherwise than they were")
    prepared = prepare(plan, seen.table, seen.columns, seen.split, lambda what, done, total: None)
    read_columns = {name for part in plan.inputs.values() for name in part.columns}
    columns = {name: column for name, column in seen.columns.items() if name in read_columns}
    return replace(prepared, facts=trained.facts, columns=columns)


def _where_it_lies(folder: RunFolder, state: Mapping[str, Any]) -> tuple[list[Path], list[Path]]:
    """The data of a run, and what was given to judge on."""
    places, tests = state.get("places") or [None], state.get("test_places") or []
    if None in [*places, *tests]:
        raise _GoneError("that lay in memory")
    found, judged = ([folder.path.resolve() / place for place in some] for some in (places, tests))
    for path in [*found, *judged]:
        if not path.exists():
            raise _GoneError(f"{os.path.normpath(path)} is not there any more")
    return found, judged


def _pictures(prepared: Prepared) -> Pictures:
    """Pictures as the network sees them, for hand-made features: of the prepared rows from the store."""
    names = {part.columns[0]: name for name, part in prepared.plan.inputs.items() if part.kind == "image"}

    def look(table: Table, column: str, rows: np.ndarray) -> np.ndarray:
        path = f"inputs.{names[column]}"
        if table is prepared.table:
            return np.asarray(prepared.blocks[path].values[rows])
        (chunk,) = table.chunks(rows, [column], max(len(rows), 1))
        return prepared.plan.inputs[names[column]].prepare(chunk, prepared.facts[path]).values

    return look
