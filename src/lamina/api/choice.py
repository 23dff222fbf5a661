"""From a request and its data to the plan: read, understood, chosen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lamina.api.request import Request
from lamina.data import how_answered
from lamina.network import Plan, Scene, choose_plan
from lamina.run import TASKS, Study, typical_side
from lamina.run import look as look_at


def look(sources: Sequence[object], tests: Sequence[object], request: Request) -> Study:
    """The data, read, understood and divided."""
    return look_at(sources, tests, request.predict, request.given, seed_of(request), request.task)


def seed_of(request: Request) -> int:
    """What all randomness follows from."""
    return int((request.given.get("training") or {}).get("seed") or 0)


_WORDS = 3, 60
"""Words of a text, on average, that are read in their order: fewer are no sentence, more take long to read."""
_ROWS, _SECONDS = 1_000, 120
"""Rows and time from which words are read in their order; with less the bag of phrases has it all."""
_SAMPLE = 1_000
"""Texts whose words are counted."""


@dataclass(frozen=True)
class OtherPlan:
    """A plan for the same data, of which the rows to choose by are to say whether it is better."""

    plan: Plan
    is_plainer: bool
    what: str
    """What one has and the other does without, in words."""
    plain_share: float
    """The most of the time for the plainer one, which learns sooner (docs/lab-notes.md)."""


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
        columns, seen.targets, seen.learned + len(seen.split.valid), side, mirror,
        # Without test rows and folds, the rows to choose by are all that the result can be judged on.
        answered=_how_answered(seen),
        scale=request.scale,
        flows=seen.table.flows,
        in_order=in_order,
        may_rotate=not named and not by_time and (seen.by_folds or len(seen.split.test) > 0),
    )  # fmt: skip
    return choose_plan(scene, request.given, TASKS[seen.task].parts)


def other_plan(seen: Study, request: Request, plan: Plan) -> OtherPlan | None:
    """Another plan beside the chosen one: without the pictures beside a table, or with words in their order.

    None where nothing is in doubt, time is short, a person chose the parts, or folds train all of it six times.
    """
    kinds = {part.kind for part in plan.inputs.values()}
    if seen.by_folds or any(request.given.get(part) for part in ("inputs", "trunks", "hidden")):
        return None
    if "image" in kinds and len(kinds) > 1:
        return OtherPlan(choose(seen, request, pictures=False), True, "pictures", 0.25)
    if kinds == {"text"} and _may_read_in_order(seen) and (request.seconds or math.inf) >= _SECONDS:
        fuller = choose(seen, request, in_order=True)
        if fuller.inputs.keys() != plan.inputs.keys():
            return OtherPlan(fuller, False, "words in their order", 0.5)
    return None


def _how_answered(seen: Study) -> tuple[str, str] | None:
    """Where a text is answered by a text: whether it is looked up or written, and why."""
    asked = [column.name for column in seen.columns.values() if column.role == "input" and column.kind == "text"]
    if len(asked) != 1 or len(seen.targets) != 1 or seen.columns[seen.targets[0]].kind != "text":
        return None
    frame = seen.table.frame[np.concatenate([seen.split.train, seen.split.valid])]
    return how_answered(frame[asked[0]], frame[seen.targets[0]])


def _may_read_in_order(seen: Study) -> bool:
    """Whether the table holds one text for each row, rows enough, and texts that are sentences and no books."""
    texts = [column.name for column in seen.columns.values() if column.role == "input" and column.kind == "text"]
    if len(texts) != 1 or len(seen.split.train) < _ROWS:
        return False
    rows = seen.split.train
    some = rows[:: max(len(rows) // _SAMPLE, 1)]
    words = seen.table.frame[texts[0]][some].cast(pl.String).str.count_matches(r"\S+").fill_null(0).to_numpy().mean()
    fewest, most = _WORDS
    return bool(fewest <= words <= most)
