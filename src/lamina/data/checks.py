"""What a careful colleague would say of this data before anything is learned from it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl

from lamina.data import _names
from lamina.data._cells import parse_numbers
from lamina.data._repeats import count_repeats
from lamina.data._sequences import codes_of, picture_column, times_in_names, tracks_in_names
from lamina.data.column import Column
from lamina.data.finding import Finding, setting
from lamina.data.leaks import GIVES_AWAY
from lamina.data.split import Split
from lamina.data.table import Table
from lamina.data.words import entries
from lamina.ground.errors import listing

_FEW_STRAY = 0.2
_MANY_NUMBERS = 20
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
    findings = [*_set_aside(columns), *_gaps(table, columns, targets), *_inputs(table, columns), *_rare(table, columns)]
    for name in targets:
        if columns[name].kind == "category":
            findings += _classes(table, split, name)
        elif columns[name].kind == "number":
            findings += _amounts(table, split, name)
        elif columns[name].kind == "tags":
            findings += _tags(table, split, name)
    findings += _repeated(table, columns, split, targets)
    findings += _kin(table, columns, split, targets)
    return sorted(findings, key=lambda finding: finding.level != "warning")


# --- columns --------------------------------------------------------------------------------------------------------


def _set_aside(columns: Mapping[str, Column]) -> Iterable[Finding]:
    """Columns that are not used, and why; those of one value in one remark."""
    ignored = [column for column in columns.values() if column.role == "ignore" and column.confidence < 1]
    constant = [column.name for column in ignored if column.distinct <= 1]
    if constant:
        text = f"set aside, since every row holds the same value or none: {listing(constant)}"
        yield Finding("note", constant[0] if len(constant) == 1 else None, text)
    for column in ignored:
        # A leak is said by `leaks`, loudly and with its own remedy.
        if column.distinct > 1 and GIVES_AWAY not in column.reason:
            keep = f"{setting(column.name, 'role', 'input')} keeps it"
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
        yield Finding(
            "note", gaps[0][1] if len(gaps) == 1 else None, f"{sum(count for count, _ in gaps):,} gaps: {parts}"
        )
    if mostly:
        yield Finding(
            "note", mostly[0] if len(mostly) == 1 else None, f"more than half of the cells are gaps: {listing(mostly)}"
        )


def _inputs(table: Table, columns: Mapping[str, Column]) -> Iterable[Finding]:
    """Inputs that are not what they seem: numbers that stand for gaps, rare categories, persons in several rows."""
    for name, column in columns.items():
        if column.role != "input":
            continue
        if column.kind == "number":
            numbers = table.frame[name].drop_nulls().to_numpy()
            mark = _sentinel(numbers)
            if mark is not None:
                rest, times = numbers[numbers != mark], int((numbers == mark).sum())
                text = (
                    f"{times:,} cells of {name!r} are {mark:g}, far from the others ({rest.min():g} to {rest.max():g})"
                )
                yield Finding("note", name, f"{text}: it may mean a gap", setting(name, "missing", f'["{mark:g}"]'))
        if column.kind in ("category", "text"):
            yield from _nearly_numbers(table, column)
        if _names.hints(name, _names.PERSON) and 1 < column.distinct <= len(table) / 2:
            text = f"{name!r} names {column.distinct:,}, each in several rows, which may lie on both sides of the split"
            yield Finding("warning", name, text, setting(name, "role", "group"))


def _nearly_numbers(table: Table, column: Column) -> Iterable[Finding]:
    """A column that was not taken for numbers because too many of its cells are none, though most are."""
    cells = table.frame[column.name]
    numbers = parse_numbers(cells)
    stray = (cells.is_not_null() & numbers.is_null()).arg_true()
    total = len(cells) - cells.null_count()
    if column.confidence < 1 and 0 < len(stray) <= _FEW_STRAY * total and numbers.n_unique() > _MANY_NUMBERS:
        row, taken = int(stray[0]), "text" if column.kind == "text" else "categories"
        text = (
            f"{column.name!r} is taken for {taken}, since {len(stray):,} of {total:,} cells are no numbers (first: "
            f"{table.where(row)}, {str(cells[row])[:80]!r})"
        )
        yield Finding("warning", column.name, text, f"if those are mistakes: {setting(column.name, 'kind', 'number')}")


def _rare(table: Table, columns: Mapping[str, Column]) -> Iterable[Finding]:
    """Categories of which most values occur once or twice, in one remark."""
    rare = []
    for name, column in columns.items():
        cells = len(table) - column.gaps
        if column.role == "input" and column.kind == "category" and column.distinct > max(20, 0.5 * cells):
            rare.append((name, f"{name!r} ({column.distinct:,} in {cells:,} rows)"))
    if rare:
        text = f"so many different values that most tell nothing of another row: {listing(text for _, text in rare)}"
        yield Finding(
            "note",
            rare[0][0] if len(rare) == 1 else None,
            text,
            f"their letters may: {setting(rare[0][0], 'kind', 'text')}",
        )


def _sentinel(numbers: np.ndarray) -> float | None:
    """The number that stands for a gap, if the largest or smallest is a usual one for that and far from the rest."""
    for mark in (numbers.max(), numbers.min()) if len(numbers) else ():
        rest = numbers[numbers != mark]
        times = len(numbers) - len(rest)
        if mark not in _SENTINELS or len(rest) < 20 or times < max(2, 0.001 * len(numbers)):
            continue
        low, high = rest.min(), rest.max()
        reach = max(high - low, 1e-9)
        if mark > high + reach or mark < low - reach or (mark == -1 and low >= 0 and high > 20):
            return float(mark)
    return None


# --- answers --------------------------------------------------------------------------------------------------------


def _classes(table: Table, split: Split, name: str) -> Iterable[Finding]:
    """Classes that are rare, or that are judged without having been learned."""
    cells = table.frame[name]
    counted = cells.drop_nulls().alias("class").value_counts(name="rows").sort(["rows", "class"])
    rows, total = counted["rows"], int(counted["rows"].sum())
    rarest, most = counted.row(0), int(rows[-1])
    if most > 5 * rarest[1] and len(rows) <= 20:
        text = f"only {rarest[1]:,} of {total:,} rows are {rarest[0]!r} ({rarest[1] / total:.1%})"
        text += f"; always to say the most frequent {name} would be right in {most / total:.1%}"
        yield Finding("note", name, text, "accuracy hides how the rare classes fare")
    few = counted.filter(pl.col("rows") < 5)["class"]
    if len(few):
        text = f"{len(few):,} of {len(rows):,} classes of {name!r} have fewer than 5 rows: {listing(map(repr, few), 5)}"
        yield Finding("warning", name, text, "give more rows of these, or join classes")
    learned = set(cells[split.train])
    strange = (
        sorted(set(cells[split.test].drop_nulls()) | set(cells[split.valid].drop_nulls()) - learned) if learned else []
    )
    strange = [value for value in strange if value not in learned]
    if strange:
        text = f"{len(strange):,} classes of {name!r} are judged but never learned: {listing(map(repr, strange), 5)}"
        yield Finding("warning", name, text, "every row of them will count as an error")


def _tags(table: Table, split: Split, name: str) -> Iterable[Finding]:
    """Tags that are judged without having been learned."""
    cells = table.frame[name]
    learned = {tag for cell in cells[split.train] for tag in entries(cell)}
    judged = {tag for rows in (split.valid, split.test) for cell in cells[rows] for tag in entries(cell)}
    if strange := sorted(judged - learned):
        text = f"{len(strange):,} tags of {name!r} are judged but never learned: {listing(map(repr, strange), 5)}"
        yield Finding("warning", name, text, "every word of them will count as an error")


def _amounts(table: Table, split: Split, name: str) -> Iterable[Finding]:
    """Numbers to predict that were cut off, that are mostly one value, or of which a few outweigh the others."""
    numbers = table.frame[name][np.concatenate([split.train, split.valid, split.test])].to_numpy()
    values, times = np.unique(numbers, return_counts=True)
    if len(values) <= 20:
        return
    for end, what in ((-1, "largest"), (0, "smallest")):
        if _piled_up(times, end) and values[end] != 0:
            share = times[end] / len(numbers)
            text = f"{times[end]:,} answers ({share:.1%}) are exactly {values[end]:,.6g}, the {what}: they look capped"
            yield Finding("note", name, text, "the true answers of these rows are not known; no model can find them")
    most = int(times.argmax())
    if times[most] > 0.3 * len(numbers):
        text = f"{times[most] / len(numbers):.0%} of the answers are exactly {values[most]:g}"
        yield Finding("note", name, text, "a model that always says so will look good; compare with it")
    low, middle, high = np.percentile(numbers, [25, 50, 75])
    far = float(np.abs(numbers - middle).max())
    if high > low and far > 10 * (high - low):
        text = f"a few answers lie far off: half are from {low:,.4g} to {high:,.4g}, one is {far:,.4g} from the middle"
        yield Finding("note", name, text, "they outweigh the others in RMSE; see MAE as well")


def _piled_up(times: np.ndarray, end: int) -> bool:
    """Whether the last or first of many values occurs far more often than its neighbours and than most."""
    if len(times) <= 50:
        return False
    neighbours = times[-6:-1] if end else times[1:6]
    return bool(times[end] >= max(20, 0.005 * times.sum(), 5 * np.median(times), 3 * neighbours.max()))


# --- rows -----------------------------------------------------------------------------------------------------------


def _repeated(table: Table, columns: Mapping[str, Column], split: Split, targets: Sequence[str]) -> Iterable[Finding]:
    """Rows that occur again, on both sides of the split, or with another answer."""
    repeats = count_repeats(table, columns, targets, split)
    total = len(split.train) + len(split.valid) + len(split.test)
    if repeats.valid or repeats.test:
        sides = [
            f"{count:,} {part} rows" for count, part in ((repeats.test, "test"), (repeats.valid, "validation")) if count
        ]
        learned = "were learned from" if len(sides) == 1 and repeats.valid else "were learned from or chosen by"
        share = max(repeats.test / max(len(split.test), 1), repeats.valid / max(len(split.valid), 1))
        text = f"{' and '.join(sides)} equal rows that {learned} ({repeats.again:,} of {total:,} rows are repeats)"
        yield Finding(
            "warning" if share >= 0.01 else "note",
            None,
            text,
            "the result looks better than it is; leave repeats out if they are mistakes",
        )
    elif repeats.again:
        yield Finding("note", None, f"{repeats.again:,} of {total:,} rows repeat an earlier one")
    if repeats.example is not None and all(columns[name].kind != "image" for name in targets):
        first, second = (table.where(row) for row in repeats.example)
        level: Literal["note", "warning"] = "warning" if repeats.contrary >= 0.05 * total else "note"
        text = f"{repeats.contrary:,} rows have inputs that occur with another answer too, such as {first} and {second}"
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
            text = f"by their names, the pictures of {pictures!r} follow each other like a film: neighbours are alike"
            yield Finding(
                "warning", pictures, text, "a split at random flatters the model; --split time holds out blocks"
            )
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
