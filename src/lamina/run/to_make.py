"""Which pictures are to be made, and from what: classes that they are asked for by, or small photos."""

from collections.abc import Sequence

from lamina.data import Split, Table
from lamina.ground import DataError, PlanError, listing, nearest
from lamina.run.to_predict import Said, to_predict


def to_generate(source: Table, predict: Sequence[str], said: Said) -> tuple[tuple[str, ...], Said, str]:
    """The column of pictures to make others like, and the classes they are asked for by; see `_to_make`."""
    return _to_make(source, predict, said, "generate")


def to_enlarge(source: Table, predict: Sequence[str], said: Said) -> tuple[tuple[str, ...], Said, str]:
    """The column of photos to be made, and the small ones where they are given; see `_to_make`."""
    return _to_make(source, predict, said, "enlarge")


def to_make_rows(source: Table, predict: Sequence[str], said: Said) -> tuple[tuple[str, ...], Said, str]:
    """The column that models will learn from made rows: the one named, or marked, or the likeliest, or the last."""
    try:
        targets, said, _ = to_predict(source, predict, said)
    except PlanError:
        if predict or not source.columns:
            raise
        targets = (source.columns[-1],)
    return targets[:1], said, ""


def _to_make(source: Table, predict: Sequence[str], said: Said, task: str) -> tuple[tuple[str, ...], Said, str]:
    """The column of pictures, and what is said of the others: one of them may say what is wanted, no more.

    Args:
        source: the table as it was read.
        predict: the column, where a person named it.
        said: what a person said of columns; one whose role they called `input` is what pictures are asked for by, or
            holds the small ones of those that are to be made large.
        task: `generate` or `enlarge`.

    Returns:
        The column, corrections by column, and nothing to be said of it.

    Raises:
        PlanError: if there is no such column, or several.
    """
    pictures = [name for name in source.columns if name in source.media]
    for name in predict:
        if name not in source.columns:
            raise PlanError(f"There is no column {name!r} in {source.name}.{nearest(name, source.columns)} "
                            f"Columns: {listing(source.columns, 30)}.")  # fmt: skip
    wanted = list(predict) or pictures
    if len(wanted) != 1 or wanted[0] not in pictures:
        found = listing(map(repr, pictures)) if pictures else "none"
        raise PlanError(
            f"--task {task} learns from one column of pictures, and {source.name} has {found} of pictures."
            + (" Say which: --predict COLUMN." if len(pictures) > 1 else "")
        )
    asked = [name for name in source.columns if said.get(name, {}).get("role") == "input" and name not in wanted]
    if task == "generate":
        asked, kind = asked or [name for name in source.targets if name not in wanted], {"kind": "category"}
    else:
        asked, kind = [name for name in asked or pictures if name in pictures and name not in wanted], {}
    if len(asked) > 1:
        raise PlanError(f"--task {task} takes one column beside that of the pictures, and {listing(map(repr, asked))} "
                        f"could be it: set others aside, --set columns.{asked[1]}.role=ignore")  # fmt: skip
    others = [name for name in source.columns if name not in (*wanted, *asked)]
    told = {name: {"role": "ignore", **said.get(name, {})} for name in others}
    told |= {name: {"role": "input", **kind, **said.get(name, {})} for name in asked}
    told |= {wanted[0]: said[wanted[0]]} if wanted[0] in said else {}
    return (wanted[0],), told, ""


def check_enough(table: Table, split: Split, fewest: int) -> None:
    """That there is enough to learn from.

    Raises:
        DataError: if there are not.
    """
    if len(split.train) < fewest:
        what = "pictures" if table.media else "rows"
        raise DataError(
            f"{table.name}: {len(split.train):,} {what} are left to learn from, once some are held out; at least "
            f"{fewest} are needed, and many more make a difference. Give more {what}."
        )
