"""What a careful colleague would say of this data before anything is learned from it."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from lamina.data import _names
from lamina.data._repeats import count_repeats
from lamina.data._sequences import codes_of, picture_column, times_in_names, tracks_in_names
from lamina.data.column import Column
from lamina.data.finding import Finding
from lamina.data.split import Split
from lamina.data.table import Table
from lamina.ground.errors import listing

_SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0)


def check(table: Table, columns: Mapping[str, Column], split: Split, targets: Sequence[str]) -> list[Finding]:
    """Everything worth saying, warnings first.

    What gives the answer away is found by `leaks`, before the split; pictures that cannot be read, when they are read.

    Args:
        table: typed, as `cast` made it.
        columns: what was understood.
        split: how rows were divided.
        targets: the columns to predict.
    """
    findings = [*_set_aside(columns), *_gaps(table, columns, targets), *_inputs(table, columns)]
    for name in targets:
        if columns[name].kind == "category":
            findings += _classes(table, split, name)
        elif columns[name].kind == "number":
            findings += _amounts(table, split, name)
    findings += _repeated(table, columns, split, targets)
    findings += _kin(table, columns, split, targets)
    return sorted(findings, key=lambda finding: finding.level != "warning")


# --- columns --------------------------------------------------------------------------------------------------------


def _set_aside(columns: Mapping[str, Column]) -> Iterable[Finding]:
    """Columns that are not used, and why; those of one value in one remark."""
    ignored = [column for column in columns.values() if column.role == "ignore" and column.confidence < 1]
    constant = [column.name for column in ignored if column.distinct <= 1]
    if constant:
        several = f"{len(constant)} columns hold" if len(constant) > 1 else f"{constant[0]!r} holds"
        text = f"{several} the same value in every row and are set aside" if len(constant) > 1 else f"{several} the same value in every row and is set aside"
        yield Finding("note", constant[0] if len(constant) == 1 else None,
                      text + (f": {listing(constant)}" if len(constant) > 1 else ""))  # fmt: skip
    for column in ignored:
        # A leak is said by `leaks`, loudly and with its own remedy.
        if column.distinct > 1 and "gives the answer away" not in column.reason:
            keep = f"--set columns.{column.name}.role=input keeps it"
            yield Finding("note", column.name, f"{column.name!r} is set aside: {column.reason}", keep)


def _gaps(table: Table, columns: Mapping[str, Column], targets: Sequence[str]) -> Iterable[Finding]:
    """Answers that are missing, and where gaps are among the inputs."""
    for name in targets:
        missing = table.frame[name].null_count()
        if missing:
            yield Finding("note", name, f"{missing:,} of {len(table):,} rows have no {name!r} and are left out")
    counts = {name: table.frame[name].null_count() for name, column in columns.items() if column.role == "input"}
    gaps = sorted(((count, name) for name, count in counts.items() if count), reverse=True)
    mostly = [name for count, name in gaps if count > 0.5 * len(table)]
    if gaps:
        parts = listing((f"{name} {count:,}" for count, name in gaps), 6)
        yield Finding("note", gaps[0][1] if len(gaps) == 1 else None, f"{sum(count for count, _ in gaps):,} gaps: {parts}")
    if mostly:
        yield Finding("note", mostly[0] if len(mostly) == 1 else None, f"more than half of the cells are gaps: {listing(mostly)}")


def _inputs(table: Table, columns: Mapping[str, Column]) -> Iterable[Finding]:
    """Inputs that are not what they seem: numbers that stand for gaps, categories of which each is rare."""
    for name, column in columns.items():
        if column.role != "input":
            continue
        cells = table.frame[name].drop_nulls()
        if column.kind == "number" and len(cells):
            mark = _sentinel(cells)
            if mark is not None:
                times = int((cells == mark).sum())
                text = f"{mark:g} stands in {times:,} cells of {name!r}, far from the others ({_rest(cells, mark)}): it may mean a gap"
                yield Finding("note", name, text, f"--set 'columns.{name}.missing=[\"{mark:g}\"]'")
        if column.kind == "category" and column.distinct > 20 and column.distinct > 0.5 * len(cells):
            text = f"{name!r} has {column.distinct:,} different values in {len(cells):,} rows: most say nothing of a new row"
            yield Finding("note", name, text, f"Its letters may: --set columns.{name}.kind=text; or --set columns.{name}.role=ignore")
    for name, column in columns.items():
        if column.role == "input" and _names.hints(name, _names.PERSON) and 1 < column.distinct <= len(table) / 2:
            text = f"{name!r} names {column.distinct:,} with several rows each, and rows of one may lie on both sides of the split"
            yield Finding("warning", name, text, f"--set columns.{name}.role=group")


def _sentinel(cells: pl.Series) -> float | None:
    """The number that stands for a gap, if the largest or smallest is a usual one for that and far from the rest."""
    for mark in (cells.max(), cells.min()):
        rest = cells.filter(cells != mark)
        if mark not in _SENTINELS or len(rest) < 20 or len(rest) > len(cells) - max(2, 0.001 * len(cells)):
            continue
        low, high = float(rest.min()), float(rest.max())
        reach = max(high - low, 1e-9)
        if mark > high + reach or mark < low - reach or (mark == -1 and low >= 0 and high > 20):
            return float(mark)
    return None


def _rest(cells: pl.Series, mark: float) -> str:
    rest = cells.filter(cells != mark)
    return f"{rest.min():g} to {rest.max():g}"


# --- answers --------------------------------------------------------------------------------------------------------


def _classes(table: Table, split: Split, name: str) -> Iterable[Finding]:
    """Classes that are rare, or that are judged without having been learned."""
    cells = table.frame[name]
    counted = cells.drop_nulls().alias("class").value_counts(name="rows").sort(["rows", "class"])
    rows, total = counted["rows"], int(counted["rows"].sum())
    rarest, most = counted.row(0), int(rows[-1])
    if most > 10 * rarest[1] and len(rows) <= 20:
        text = (f"{rarest[1]:,} of {total:,} rows are {rarest[0]!r} ({rarest[1] / total:.1%}): always the most frequent "
                f"{name} would be right in {most / total:.1%}")  # fmt: skip
        yield Finding("note", name, text, "accuracy says little here; the metric that decides takes this into account")
    few = counted.filter(pl.col("rows") < 5)["class"]
    if len(few):
        text = f"{len(few):,} of {len(rows):,} classes of {name!r} have fewer than 5 rows: {listing(map(repr, few), 5)}"
        yield Finding("warning", name, text, "give more rows of these, or join classes")
    learned = set(cells[split.train])
    strange = sorted(set(cells[split.test].drop_nulls()) | set(cells[split.valid].drop_nulls()) - learned) if learned else []
    strange = [value for value in strange if value not in learned]
    if strange:
        text = f"{len(strange):,} classes of {name!r} are judged but never learned: {listing(map(repr, strange), 5)}"
        yield Finding("warning", name, text, "every row of them will count as an error")


def _amounts(table: Table, split: Split, name: str) -> Iterable[Finding]:
    """Numbers to predict that were cut off, that are mostly one value, or of which a few outweigh the others."""
    values = table.frame[name][np.concatenate([split.train, split.valid, split.test])]
    counted = values.alias("value").value_counts(name="rows").sort("value")
    rows, distinct = counted["rows"], counted.height
    usual, at = float(rows.median() or 0), int(rows.arg_max() or 0)
    if distinct > 50:
        for end, row in (("most", distinct - 1), ("least", 0)):
            value, count = counted.row(row)
            inner = int(rows[max(row - 5, 0) : row + 6].sort()[-2])
            if count >= max(20, 0.005 * len(values)) and count > 5 * usual and count > 3 * inner and not (end == "least" and value == 0):
                text = f"{count:,} answers ({count / len(values):.1%}) are exactly {value:,.6g}, the {end} there is: they look capped"
                yield Finding("note", name, text, "the true answers of these rows are not known; no model can find them")
    value, count = counted.row(at)
    if distinct > 20 and count > 0.3 * len(values):
        text = f"{count / len(values):.0%} of the answers are exactly {value:g}: a model that always says so will look good"
        yield Finding("note", name, text)
    spread = float(values.quantile(0.75) - values.quantile(0.25))
    middle, skew = float(values.median()), float(values.skew() or 0)
    far = max(float(values.max()) - middle, middle - float(values.min()))
    if distinct > 20 and spread > 0 and far > 10 * spread and abs(skew) > 2:
        text = f"a few answers lie far from the others (half are within {spread:,.4g}, the farthest is {far:,.4g} from the middle)"
        yield Finding("note", name, text, "they outweigh the others in RMSE; see MAE as well")


# --- rows -----------------------------------------------------------------------------------------------------------


def _repeated(table: Table, columns: Mapping[str, Column], split: Split, targets: Sequence[str]) -> Iterable[Finding]:
    """Rows that occur again, on both sides of the split, or with another answer."""
    repeats = count_repeats(table, columns, targets, split)
    total = len(split.train) + len(split.valid) + len(split.test)
    if repeats.valid or repeats.test:
        sides = [f"{count:,} {part} rows" for count, part in ((repeats.test, "test"), (repeats.valid, "validation")) if count]
        learned = "were learned from" if len(sides) == 1 and repeats.valid else "were learned from or chosen by"
        share = max(repeats.test / max(len(split.test), 1), repeats.valid / max(len(split.valid), 1))
        text = f"{' and '.join(sides)} equal rows that {learned} ({repeats.again:,} of {total:,} rows are repeats)"
        yield Finding("warning" if share >= 0.01 else "note", None, text, "the result looks better than it is; leave repeats out if they are mistakes")
    elif repeats.again:
        yield Finding("note", None, f"{repeats.again:,} of {total:,} rows repeat an earlier one")
    if repeats.example is not None:
        first, second = (table.where(row) for row in repeats.example)
        level = "warning" if repeats.contrary >= 0.05 * total else "note"
        text = f"{repeats.contrary:,} rows have inputs that occur with another answer as well (such as {first} and {second})"
        yield Finding(level, None, text, "no model can be right on all of these")


def _kin(table: Table, columns: Mapping[str, Column], split: Split, targets: Sequence[str]) -> Iterable[Finding]:
    """Rows that belong together and lie on both sides: groups cut apart, pictures of one film."""
    for name, column in columns.items():
        if column.role == "group":
            yield from _cut_apart(codes_of(table.frame[name]), split, f"groups of {name!r}")
    pictures = picture_column(table, columns)
    if pictures is None:
        return
    references = table.frame[pictures]
    if times_in_names(references[split.train]) is not None:
        if split.how != "time" and "blocks of time" not in split.reason:
            text = f"names in {pictures!r} say that the pictures follow each other like those of a film: neighbours are nearly equal"
            yield Finding("warning", pictures, text, "a split at random flatters the model; --split time holds out blocks")
        return
    classes = next((codes_of(table.frame[name]) for name in targets if columns[name].kind == "category"), None)
    rows = np.concatenate([split.train, split.valid])
    found = tracks_in_names(references[rows], None if classes is None else classes[rows])
    if found is not None:
        tracks = np.arange(len(table), dtype=np.int64) + int(found.max()) + 1
        tracks[rows] = found
        yield from _cut_apart(tracks, split, f"tracks by the names in {pictures!r}")


def _cut_apart(groups: np.ndarray, split: Split, what: str) -> Iterable[Finding]:
    held = np.concatenate([split.valid, split.test])
    both = np.intersect1d(groups[split.train], groups[held])
    if len(both):
        rows = int(np.isin(groups[held], both).sum())
        text = f"{len(both):,} {what} lie on both sides of the split, with {rows:,} held-out rows"
        yield Finding("warning", None, text, "the result looks better than it is; --split group keeps them whole")
