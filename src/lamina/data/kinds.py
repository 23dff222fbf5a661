"""What every column holds and what it is for, judged on all of its cells, with a reason a person can check."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from lamina.data import _names
from lamina.data._identifiers import identifier_of_numbers, identifier_of_words
from lamina.data._judging import as_told, judge
from lamina.data._look import Look, look_at
from lamina.data._tagged import Tagged, find_tags
from lamina.data.column import KINDS, ROLES, Column, Kind, Role
from lamina.data.finding import setting
from lamina.data.table import Table
from lamina.ground.errors import PlanError, listing, nearest

CORRECTIONS = ("kind", "role", "missing", "format", "decimal", "unit")
"""What a person may say of a column in the plan."""

PARTS: Mapping[str, str] = {
    "train": "train", "training": "train", "valid": "valid", "validation": "valid", "val": "valid", "dev": "valid",
    "test": "test", "testing": "test", "holdout": "test",
}  # fmt: skip
"""Words for the parts of a split, in lower case, and the part that each means."""


def understand(
    table: Table, targets: Sequence[str] | None, given: Mapping[str, Mapping[str, object]] = {}
) -> dict[str, Column]:
    """Every column of a table, in its order.

    Args:
        table: cells as they were found.
        targets: the columns to predict; None when they are not known yet.
        given: a person's corrections by column, under the keys of `CORRECTIONS`. What is given is not guessed; a
            given kind or role has confidence 1.

    Raises:
        PlanError: if a column, key, kind or role is not known, or a given one does not fit the cells.
        DataError: if a column is of a type that no part can take.
    """
    targets = targets or ()
    for name in [*targets, *given]:
        if name not in table.columns:
            raise PlanError(
                f"There is no column {name!r} in {table.name}.{nearest(name, table.columns)} "
                f"Columns: {listing(table.columns, 30)}."
            )
    all_said = {name: _checked(name, given.get(name, {})) for name in table.columns}
    for name in targets:
        if all_said[name].setdefault("role", "target") != "target":
            raise PlanError(
                f"{name!r} is to be predicted, but columns.{name}.role says {all_said[name]['role']!r}: take one back."
            )
    goals = {name for name, said in all_said.items() if said.get("role") == "target"}
    tagged = find_tags(table, goals, [name for name, said in all_said.items() if said.get("kind") == "tags"])
    texts = {found.words for name, found in tagged.items() if all_said[name].get("kind", "tags") == "tags"}
    understood = {}
    for name, said in all_said.items():
        if said.get("kind", "tags") == "tags" and (name in tagged or "kind" in said):
            understood[name] = _tags(table, name, said, tagged.get(name))
        elif name in texts and name not in goals and "kind" not in said:
            words = _column(table, name, {**said, "kind": "text"}, is_target=False)
            understood[name] = replace(words, confidence=0.95, reason="words that have tags")
        else:
            understood[name] = _column(table, name, said, is_target=name in goals)
    return understood


def _checked(name: str, said: Mapping[str, object]) -> dict[str, object]:
    """A person's corrections of one column."""
    said = dict(said)
    for key, value in said.items():
        where = f"columns.{name}"
        if key not in CORRECTIONS:
            raise PlanError(f"{where}: there is no {key!r}.{nearest(key, CORRECTIONS)} Known: {listing(CORRECTIONS)}.")
        known = {"kind": KINDS, "role": ROLES, "decimal": (".", ",")}.get(key)
        if known is not None and value not in known:
            raise PlanError(
                f"{where}.{key}: {value!r} does not do.{nearest(str(value), known)} Known: {listing(known)}."
            )
    if "missing" in said:
        missing = said["missing"]
        cells = missing if isinstance(missing, (list, tuple)) else [missing]
        said["missing"] = tuple(str(cell) for cell in cells)
    return said


def _tags(table: Table, name: str, said: Mapping[str, object], found: Tagged | None) -> Column:
    """A column of tags; they are not known of new texts, so that they are predicted or set aside."""
    look = look_at(table.frame[name], True, said)
    if found is None or not found.words:
        raise PlanError(
            f"{name!r} holds tags, but no other column has as many words in each row. Give the words as lists, or as "
            f"texts with blanks between them, in a column of their own; if {name!r} holds something else: "
            f"{setting(name, 'kind', 'category')}"
        )
    role = cast(Role, said.get("role", "ignore"))
    if role not in ("target", "ignore"):
        raise PlanError(f"columns.{name}.role: tags are predicted or ignored; {role!r} does not do.")
    return Column(
        name=name, kind="tags", role=role, confidence=1.0 if "kind" in said else 0.95, reason=found.reason,
        gaps=look.cells.null_count(), distinct=len(look.values), of=found.words,
    )  # fmt: skip


def _column(table: Table, name: str, said: Mapping[str, object], is_target: bool) -> Column:
    look = look_at(table.frame[name], is_target, said)
    if name in table.media:
        if said.get("kind", "image") != "image":
            raise PlanError(f"columns.{name}.kind: its cells refer to pictures, so {said['kind']!r} does not do.")
        column = Column(
            name=name, kind="image", confidence=0.99, reason="its cells refer to pictures",
            gaps=look.cells.null_count(), distinct=len(look.values),
        )  # fmt: skip
    elif table.flows and "kind" not in said:
        column = Column(
            name=name, kind="text", confidence=0.99, reason="running text in stretches, each after the other",
            gaps=look.cells.null_count(), distinct=len(look.values),
        )  # fmt: skip
    elif "kind" in said:
        column = as_told(look, cast(Kind, said["kind"]))
    elif said.get("role") == "weight":
        column = as_told(look, "number")
    else:
        column = judge(look)
    return _with_role(look, column)


def _with_role(look: Look, column: Column) -> Column:
    """The column with its role: as given, or set aside when it cannot tell anything of its row."""
    if "role" in look.said:
        role = cast(Role, look.said["role"])
        if role == "weight" and (look.numbers < 0).any():
            least = min(look.numbers.drop_nulls())
            raise PlanError(f"columns.{column.name}.role: weights must not be negative, and one is {least:g}.")
        if role == "time" and column.kind not in ("moment", "number"):
            raise PlanError(
                f"columns.{column.name}.role: 'time' needs moments or numbers, and the cells are {column.kind} "
                f"({column.reason}). Say how they are written: {setting(column.name, 'format', '%d.%m.%Y')}"
            )
        # What is to be predicted was said; what kind it is, is still a guess.
        return replace(column, role=role, confidence=column.confidence if role == "target" else 1.0)
    if column.distinct == 0:
        return replace(column, role="ignore")
    if column.distinct == 1 and column.gaps == 0:
        return replace(column, role="ignore", confidence=0.99, reason=f"every cell is {look.values[0]!r}")
    words = set(look.values.str.to_lowercase()) if look.is_text and column.distinct <= 4 else set()
    if len(words) > 1 and "train" in {PARTS[word] for word in words if word in PARTS} and words <= set(PARTS):
        reason = f"names a split ({listing(sorted(words))}): --split {column.name} uses it"
        return replace(column, role="ignore", confidence=0.95, reason=reason)
    found = _identifier(look, column) if "kind" not in look.said else None
    if found is not None:
        return replace(column, role="ignore", confidence=found[0], reason=found[1])
    return column


def _identifier(look: Look, column: Column) -> tuple[float, str] | None:
    """How surely, and why, a column only tells rows apart; None when it says more."""
    if column.kind in ("moment", "image"):
        return None
    if column.kind == "number" or look.numbers.null_count() == 0:
        return identifier_of_numbers(look.name, look.as_numbers(look.cells))
    return identifier_of_words(look.name, look.values, look.rows)


def guess_targets(table: Table, columns: Mapping[str, Column]) -> tuple[tuple[str, ...], str] | None:
    """The columns to predict when nobody said, and why these; None when no column could be meant.

    Args:
        table: with the columns that the data itself marks, if it does.
        columns: as understood without targets.
    """
    if table.targets:
        return table.targets, "the data itself marks the answer"
    possible = [
        name for name, column in columns.items() if column.role == "input" and column.kind in ("number", "category")
    ]
    # Beside x and z, y is a length and not the answer.
    possible = [
        name for name in possible if name.lower() != "y" or not {"x", "z"} <= {other.lower() for other in columns}
    ]
    for word in _names.ANSWER:
        named = [name for name in possible if "".join(_names.words(name)) == word]
        named = named or [name for name in possible if len(word) > 1 and _names.last_word(name) == word]
        if len(named) == 1:
            return (named[0],), f"guessed from the name {named[0]!r}; --predict says otherwise"
    tagged = [name for name, column in columns.items() if column.kind == "tags"]
    if not possible and tagged:
        return (tagged[-1],), f"guessed: {tagged[-1]!r} holds tags of words; --predict says otherwise"
    if not possible:
        return None
    if len(possible) == 1:
        return (possible[0],), f"guessed: {possible[0]!r} is the only number or category; --predict says otherwise"
    return (possible[-1],), f"guessed: {possible[-1]!r} is the last number or category; --predict says otherwise"
