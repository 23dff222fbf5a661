"""A column as the judges see it: its cells in order, and its different values with how often each occurs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from lamina.data._cells import PLAIN, NumberStyle, filled, number_style, parse_numbers
from lamina.ground.errors import DataError


@dataclass(frozen=True)
class Look:
    """What there is to see of a column."""

    name: str
    cells: pl.Series
    """All cells in row order: text, numbers or moments; gaps, blanks and cells declared to be gaps are null."""
    values: pl.Series
    """The different cells, the most frequent first; without gaps."""
    counts: pl.Series
    """How often each of them occurs."""
    style: NumberStyle = PLAIN
    """How its numbers are written, if it holds any."""
    unsure: bool = False
    """Whether the decimal mark is a guess."""
    is_target: bool = False
    said: Mapping[str, object] = field(default_factory=dict)
    """A person's corrections."""

    @property
    def rows(self) -> int:
        """Cells that are no gaps."""
        return len(self.cells) - self.cells.null_count()

    @property
    def is_text(self) -> bool:
        """Whether the cells are text, so that numbers and moments must be read from it."""
        return self.cells.dtype == pl.String

    @property
    def is_typed_moment(self) -> bool:
        """Whether the cells are dates or times already."""
        return self.cells.dtype in (pl.Date, pl.Datetime)

    @property
    def are_numbers(self) -> pl.Series:
        """Which of the different values are written as numbers, infinite ones among them."""
        return parse_numbers(self.values, self.style).is_not_null() if self.is_text else self.values.is_not_null()

    @cached_property
    def numbers(self) -> pl.Series:
        """The different values as Float64, null where they are no numbers."""
        return self.as_numbers(self.values)

    def as_numbers(self, cells: pl.Series) -> pl.Series:
        """Cells of this column as Float64, null where they are no numbers that one can count with."""
        numbers = parse_numbers(cells, self.style) if self.is_text else cells.cast(pl.Float64)
        return numbers.set(numbers.is_infinite(), None)

    def without(self, gaps: pl.Series) -> "Look":
        """The same column with some of its values counted as gaps.

        Args:
            gaps: (values,) whether each value is a gap.
        """
        if not gaps.any():
            return self
        stray = self.cells.is_in(self.values.filter(gaps).implode())
        return replace(
            self, cells=self.cells.set(stray.fill_null(False), None), values=self.values.filter(~gaps),
            counts=self.counts.filter(~gaps),
        )  # fmt: skip


def look_at(cells: pl.Series, is_target: bool, said: Mapping[str, object]) -> Look:
    """A column made ready to be judged.

    Args:
        cells: as they were found.
        is_target: whether it is to be predicted.
        said: a person's corrections; `missing` a sequence of text.

    Raises:
        DataError: if no part can take cells of this type.
    """
    name, cells = cells.name, gaps_to_null(plain_cells(cells), said.get("missing", ()))  # type: ignore[arg-type]
    # By first appearance among equal counts: the same column always reads the same.
    counted = pl.DataFrame({"value": cells}).drop_nulls().group_by("value", maintain_order=True).len("count")
    counted = counted.sort("count", descending=True, maintain_order=True)
    values, counts, style, unsure = counted["value"], counted["count"], PLAIN, False
    if cells.dtype == pl.String:
        style, unsure = number_style(values, counts)
        unsure = unsure and "decimal" not in said
        style = NumberStyle(str(said.get("decimal", style.decimal)), str(said.get("unit", style.unit)))
    return Look(name, cells, values, counts, style, unsure, is_target, said)


def plain_cells(cells: pl.Series) -> pl.Series:
    """Cells of any type as text, numbers or moments; text loses surrounding blanks, and blank cells become null.

    Raises:
        DataError: if they are none of these: lists, records, bytes.
    """
    dtype = cells.dtype
    if dtype == pl.String:
        return filled(cells)
    if dtype in (pl.Categorical, pl.Enum, pl.Boolean, pl.Null):
        return cells.cast(pl.String)
    if dtype == pl.Duration or dtype == pl.Time:
        return cells.cast(pl.Duration("us")).dt.total_microseconds() / 1_000_000
    if dtype.is_float():
        return cells.fill_nan(None)
    if dtype.is_numeric() or dtype in (pl.Date, pl.Datetime):
        return cells
    raise DataError(
        f"Column {cells.name!r} holds cells of type {dtype}, which no part can take. Give what is in them columns of "
        f"their own (with Polars: frame.unnest({cells.name!r}) or frame.explode({cells.name!r})), or leave the column "
        f"out: frame.drop({cells.name!r})."
    )


def gaps_to_null(cells: pl.Series, missing: Sequence[str]) -> pl.Series:
    """Cells that are declared to be gaps, as null; among typed numbers `999` also means 999.0."""
    if not missing:
        return cells
    if cells.dtype == pl.String:
        return cells.set(cells.is_in(list(missing)).fill_null(False), None)
    if cells.dtype.is_numeric():
        marks = pl.Series(list(missing), dtype=pl.String).cast(pl.Float64, strict=False).drop_nulls()
        return cells.set(cells.cast(pl.Float64).is_in(marks.implode()).fill_null(False), None)
    return cells
