"""What parts learn: fitted on training rows, prepared into the store, saved beside the weights."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from lamina.data import Facts, StoredBlock, Table, fingerprint, prepare_once
from lamina.ground import DataError, RunError, cache_folder, key, load_tensors, system_errors, to_plain
from lamina.inputs import InputPlan
from lamina.network import Plan
from lamina.outputs import OutputPlan

Told = Callable[[str, int, int], None]
"""(what is being done, rows done, rows in all): progress of a long look through the data."""


def parts_of(plan: Plan) -> dict[str, InputPlan | OutputPlan]:
    """Every part of a plan that learns from columns, by path: `inputs.numbers`, `outputs.price`."""
    inputs = {f"inputs.{name}": part for name, part in plan.inputs.items()}
    return {**inputs, **{f"outputs.{name}": part for name, part in plan.outputs.items()}}


def columns_of(part: InputPlan | OutputPlan) -> tuple[str, ...]:
    """The columns that a part reads."""
    return part.columns


def fit_parts(plan: Plan, table: Table, rows: np.ndarray) -> dict[str, Facts]:
    """Facts of every part, by path, learned on these rows and no others.

    Raises:
        DataError: if a column holds nothing to learn from; the message names the part.
    """
    facts = {}
    for path, part in parts_of(plan).items():
        columns = columns_of(part)
        size = 256 if any(column in table.media for column in columns) else 16_384
        try:
            facts[path] = part.fit(table.chunks(rows, columns, size))
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
    return facts


def prepare_parts(plan: Plan, facts: Mapping[str, Facts], table: Table,
                  told: Told = lambda what, done, total: None) -> dict[str, StoredBlock]:  # fmt: skip
    """The prepared block of every part over all rows of the table, by path; kept in the cache between runs."""
    blocks = {}
    for path, part in parts_of(plan).items():
        columns = columns_of(part)
        done = 0

        def progress(rows: int, path: str = path) -> None:
            nonlocal done
            done += rows
            told(path, done, len(table))

        blocks[path] = prepare_once(
            cache_folder() / "store" / name_of(path, part, facts[path], table), table, columns,
            partial(part.prepare, facts=facts[path]), progress,
        )  # fmt: skip
    return blocks


def name_of(path: str, part: InputPlan | OutputPlan, facts: Facts, table: Table) -> str:
    """16 hexadecimal digits that change with everything that a part's prepared block of a table depends on."""
    needs = part.depends_on(facts) if isinstance(part, InputPlan) else [to_plain(part), _apart(facts)[0]]
    place = path.partition(".")[0]
    return f"{key(fingerprint(table.select(columns_of(part))), place, part.kind, _text(needs)):016x}"


def _text(values: object) -> str:
    return json.dumps(values, sort_keys=True, default=str)


def _apart(facts: Facts) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    arrays = {name: value for name, value in facts.items() if isinstance(value, np.ndarray)}
    return {name: value for name, value in facts.items() if name not in arrays}, arrays


def save_facts(folder: Path, facts: Mapping[str, Facts]) -> None:
    """Write facts as JSON and safetensors, a pair of files a part."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, learned in facts.items():
        plain, arrays = _apart(learned)
        (folder / f"{path}.json").write_text(json.dumps(plain, ensure_ascii=False, indent=1), "utf-8")
        if arrays:
            with system_errors(folder):
                save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()},
                          folder / f"{path}.safetensors")  # fmt: skip


def load_facts(folder: Path, plan: Plan) -> dict[str, Facts]:
    """The facts of every part of a plan.

    Raises:
        RunError: if a part's file is missing or cannot be read.
    """
    facts: dict[str, Facts] = {}
    for path in parts_of(plan):
        try:
            facts[path] = json.loads((folder / f"{path}.json").read_text("utf-8"))
            arrays = folder / f"{path}.safetensors"
            if arrays.exists():
                facts[path].update({name: array.numpy() for name, array in load_tensors(arrays).items()})
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            raise RunError(f"{folder / path}.json cannot be read ({error}): the run is damaged.") from error
    return facts


def unusable(blocks: Mapping[str, StoredBlock], rows: np.ndarray) -> dict[int, str]:
    """Those of some rows that no part may learn from, and why: an unreadable picture, no answer."""
    wanted = frozenset(rows.tolist())
    reasons: dict[int, str] = {}
    for path, block in blocks.items():
        for row, reason in block.problems.items():
            if row in wanted:
                reasons.setdefault(row, f"{path}: {reason}")
    return reasons
