"""From a request and its data to the plan: read, understood, chosen."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from lamina.api.request import Request
from lamina.data import how_answered, read
from lamina.network import Plan, Scene, choose_plan
from lamina.run import TASKS, Study, study, typical_side


def look(sources: Sequence[object], test: object | None, request: Request) -> Study:
    """The data, read, understood and divided."""
    return study(read(sources, test=test), request.predict, request.given, seed_of(request), request.task)


def seed_of(request: Request) -> int:
    """What all randomness follows from."""
    return int((request.given.get("training") or {}).get("seed") or 0)


_WORDS = 3, 60
"""Words of a text, on average, that are read in their order: fewer are no sentence, more take long to read."""
_ROWS = 1_000
"""Rows from which words are read in their order; no fewer were tried."""
_SAMPLE = 1_000
"""Texts whose words are counted."""


def choose(
    seen: Study, request: Request, mirror: bool | None = None, pictures: bool = True, in_order: bool = False
) -> Plan:
    """The plan for this data.

    Args:
        mirror: whether pictures may be mirrored, None while nobody has found out.
        pictures: False leaves columns of pictures out.
        in_order: True has the words of a text that stands alone read in their order as well.
    """
    columns = {name: column for name, column in seen.columns.items() if pictures or column.kind != "image"}
    side = typical_side(seen.table, columns, seen.split.train, seed_of(request)) if pictures else None
    by_time = seen.split.how in ("time", "order")
    named = seen.table.parts is not None and "valid" in seen.table.parts
    scene = Scene(
        columns, seen.targets, len(seen.split.train) + len(seen.split.valid), side, mirror,
        # Without test rows and folds, the rows to choose by are all that the result can be judged on.
        answered=_how_answered(seen),
        scale=request.scale,
        flows=seen.table.flows,
        in_order=in_order,
        may_rotate=not named and not by_time and (seen.by_folds or len(seen.split.test) > 0),
    )  # fmt: skip
    return choose_plan(scene, request.given, TASKS[seen.task].parts)


def _how_answered(seen: Study) -> tuple[str, str] | None:
    """Where a text is answered by a text: whether it is looked up or written, and why."""
    asked = [column.name for column in seen.columns.values() if column.role == "input" and column.kind == "text"]
    if len(asked) != 1 or len(seen.targets) != 1 or seen.columns[seen.targets[0]].kind != "text":
        return None
    frame = seen.table.frame[np.concatenate([seen.split.train, seen.split.valid])]
    return how_answered(frame[asked[0]], frame[seen.targets[0]])


def may_read_in_order(seen: Study) -> bool:
    """Whether the table holds one text for each row, rows enough, and texts that are sentences and no books."""
    texts = [column.name for column in seen.columns.values() if column.role == "input" and column.kind == "text"]
    if len(texts) != 1 or len(seen.split.train) < _ROWS:
        return False
    rows = seen.split.train
    some = rows[:: max(len(rows) // _SAMPLE, 1)]
    words = seen.table.frame[texts[0]][some].cast(pl.String).str.count_matches(r"\S+").fill_null(0).to_numpy().mean()
    fewest, most = _WORDS
    return bool(fewest <= words <= most)
