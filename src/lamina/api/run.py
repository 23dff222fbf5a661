"""A run, as a person holds it: predict, evaluate, look at the report, take the network out."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from torch import nn

from lamina.data import Problem, Table, cast, decode, read, slices
from lamina.ground import DataError, RunError, UsageError, listing, prepare_process
from lamina.hidden import HiddenLayer
from lamina.network import Plan
from lamina.outputs import Sampling
from lamina.report import write_report
from lamina.run import (
    Baselines,
    RunFolder,
    Trained,
    Writing,
    classes_of,
    enlarge,
    evaluate_other_photos,
    evaluate_other_pictures,
    evaluate_other_rows,
    evaluate_table,
    fit_rivals_again,
    load_eye,
    load_trained,
    make,
    make_rows,
    plain_evaluation,
)


class Run:
    """A finished training: the network and all that belongs to it."""

    def __init__(self, path: str | Path, hidden: HiddenLayer | None = None):
        """The run in a folder; files are verified when the network is first needed. See `lamina.load`."""
        self.folder = RunFolder(Path(path))
        self._hidden = hidden
        self._cells: list[Problem] = []
        self.problems: list[str] = []
        """Cells and pictures of the data last used that could not be read, with their places."""

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def path(self) -> Path:
        """The folder."""
        return self.folder.path

    @cached_property
    def trained(self) -> Trained:
        """Plan, columns, facts and network, verified.

        Raises:
            RunError: if a file is missing, was changed, or the network answers otherwise than it did.
        """
        prepare_process()  # a quarter of the time of answering went into memory that was handed back and taken anew
        return load_trained(self.folder, self._hidden)

    @property
    def network(self) -> nn.Module:
        """The network: an ordinary `torch.nn.Module`."""
        return self.trained.network

    @property
    def plan(self) -> Plan:
        """Every part and setting."""
        return self.trained.plan

    @property
    def evaluation(self) -> dict[str, Any]:
        """What was measured at the end of training, as in `evaluation.json`."""
        return self.folder.read("evaluation.json")

    @property
    def verdict(self) -> str:
        """One or two sentences: what the network is worth beside simpler ways."""
        return str(self.evaluation.get("verdict", ""))

    def predict(self, data: object, *more: object, confidence: bool = True) -> pl.DataFrame:
        """Answers for every row, in order.

        Args:
            data: as in `lamina.train`, without the columns to predict; or one row as a dict.
            more: further data that belongs to it: an archive of pictures, for example.
            confidence: whether each answer's confidence (or interval) stands beside it.

        Raises:
            DataError: if a column that the network needs is missing, or holds something else.
        """
        first, *others = self.predictions(data, *more, confidence=confidence)
        return pl.concat([first, *others]) if others else first

    def predictions(self, data: object, *more: object, confidence: bool = True) -> Iterator[pl.DataFrame]:
        """The answers of `predict`, a piece of the data at a time.

        Memory does not grow with a folder of pictures, nor with one delimited text file: of a large one, rows are read
        as they are answered, some hundred thousand at a time, and whether too many cells of a column are unusable is
        judged of these.
        """
        self._answers_rows()
        if isinstance(data, dict) and not any(isinstance(value, (list, tuple, np.ndarray)) for value in data.values()):
            tables = iter([self._row(data, more)])
        else:
            needed = self._inputs()
            tables = (self._usable(table, needed) for table in slices([data, *more]))
        wanted = {part.column for part in self.plan.outputs.values()}
        problems = list[str]()
        for table in tables:
            for _, answers in self.trained.answer(table):
                yield pl.DataFrame([
                    pl.Series(name, values.tolist() if name in each.types else values, dtype=each.types.get(name))
                    for each in answers.values() for name, values in each.columns.items()
                    if confidence or name in wanted
                ])  # fmt: skip
            self._note()
            problems += self.problems
        self.problems = problems

    @cached_property
    def writing(self) -> Writing:
        """What a network that was trained on running text is asked to go on with.

        Raises:
            DataError: if the run answers something else.
        """
        return Writing(self.trained)

    def write(self, prompt: str = "", length: int = 300, *, temperature: float = 0.7, top_k: int = 0,
              top_p: float = 1.0, repetition: float = 1.0, seed: int = 0) -> Iterator[str]:  # fmt: skip
        """What follows a prompt, in pieces as they are written: `"".join(run.write("To be"))`.

        Args:
            prompt: any text; all of it is read.
            length: characters to write.
            temperature: below 1 likely tokens are preferred, above it rare ones; 0 always takes the likeliest.
            top_k: draw from this many of the likeliest tokens only; 0 from all.
            top_p: draw from the likeliest tokens that together have this probability.
            repetition: above 1, tokens of the last while are held back.
            seed: the same gives the same text.

        Raises:
            DataError: if the run was not trained on running text.
        """
        sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, repetition=repetition)
        return self.writing.go_on(prompt, length, sampling, seed)

    def likely(self, prompt: str = "", count: int = 5, words: bool = True) -> list[tuple[str, float]]:
        """The likeliest next words (or tokens) after a prompt, each with its probability."""
        return self.writing.likely_words(prompt, count) if words else self.writing.likely_tokens(prompt, count)

    def evaluate(self, data: object = None, *more: object) -> dict[str, Any]:
        """Metrics with intervals on rows whose answers are known.

        Args:
            data: rows with answers, or pictures to compare with what a network makes; None returns what was measured at
                the end of training.
            more: further data that belongs to it.

        Returns:
            `rows`, `decides`, `metrics` by column, `baselines` (simpler ways on the same rows: the naive one always;
            classical models are learned again where the training data still lies where it was, unchanged), `verdict`
            in words, and `notes` on what was left out.

        Raises:
            DataError: if a column is missing or holds something else, or no row has an answer that can be used.
        """
        if data is None:
            return plain_evaluation(self.evaluation)
        targets = [column for part in self.plan.outputs.values() for column in part.columns]
        table = self._usable(read([data, *more]), needed=[*self._inputs(), *targets])
        if self.task == "generate":
            found = evaluate_other_pictures(self.trained, load_eye(self.folder), table)
        elif self.task == "rows":
            found = evaluate_other_rows(self.trained, table)
        elif self.task == "enlarge":
            found = evaluate_other_photos(self.trained, table)
        else:
            found = evaluate_table(self.trained, table, self._rivals)
        self._note()
        return found

    @cached_property
    def _rivals(self) -> dict[str, Baselines]:
        """Simpler ways to compare with on other rows; learned once, for it takes a while."""
        return fit_rivals_again(self.folder, self.trained)

    @property
    def task(self) -> str:
        """What it was trained for: `predict`, `generate` or `enlarge`."""
        return self.trained.plan.task

    def generate(self, count: int = 1, *, asked: str | None = None, seed: int = 0,
                 between: tuple[int, int] | None = None) -> np.ndarray:  # fmt: skip
        """Pictures that a network makes, trained with `task="generate"` on pictures.

        Args:
            count: how many.
            asked: the class of all; None goes through all classes in alphabetical order, again and again.
            seed: another seed, other pictures.
            between: the numbers (from 0) of two pictures of this seed, to go from one to the other in `count` steps.

        Returns:
            (count, height, width, channels) of uint8.

        Raises:
            UsageError: if the network answers rows instead.
            PlanError: for a class that was not learned, or numbers that make no sense.
        """
        if self.task != "generate":
            known = {"enlarge": "enlarges photos", "rows": "makes rows: use make_rows"}
            what = known.get(self.task, "answers rows: use predict")
            raise UsageError(f"{self.path} makes no pictures, it {what}. Train with --task generate to make some.")
        return make(self.trained, count, asked, seed, between)[0].transpose(0, 2, 3, 1)

    def make_rows(self, count: int = 1, *, seed: int = 0) -> pl.DataFrame:
        """Rows that a network makes, trained with `task="generate"` on a table.

        Args:
            count: how many.
            seed: another seed, other rows.

        Raises:
            UsageError: if the network makes no rows.
            PlanError: if none are asked for.
        """
        if self.task != "rows":
            raise UsageError(f"{self.path} makes no rows. Train on a table with --task generate to make some.")
        columns = make_rows(self.trained, count, seed).columns
        order = [name for name in self.trained.columns if name in columns]
        return pl.DataFrame([pl.Series(name, columns[name].tolist(), strict=False) for name in order])

    @property
    def classes(self) -> list[str]:
        """What pictures can be asked for, where the network makes some and has learned classes."""
        return classes_of(self.trained) if self.task == "generate" else []

    def enlarge(self, picture: str | Path | bytes | np.ndarray) -> np.ndarray:
        """A photo several times as large, by a network trained with `task="enlarge"`.

        Args:
            picture: a path, bytes of a file, or an array (height, width), or (height, width, channels).

        Returns:
            (height, width, 1 or 3) of uint8.

        Raises:
            UsageError: if the network does something else.
            DataError: if it is no picture.
        """
        if self.task != "enlarge":
            raise UsageError(f"{self.path} does not enlarge photos: train with --task enlarge for a network that does.")
        if not isinstance(picture, (str, Path)):
            return enlarge(self.trained, decode(picture, "the picture"))
        try:
            return enlarge(self.trained, decode(Path(picture).read_bytes(), str(picture)))
        except OSError as error:
            raise DataError(f"{picture} cannot be read: {error.strerror}.") from error

    def _answers_rows(self) -> None:
        """Refuse rows to answer, where pictures are made instead."""
        if self.task == "rows":
            raise UsageError(
                f"{self.path} makes rows and answers none. Ask for some: "
                f"lamina predict {self.path} --count 1000 --out made.csv, or run.make_rows(1000)."
            )
        if self.task == "generate":
            raise UsageError(
                f"{self.path} makes pictures and answers no rows. Ask for some: "
                f"lamina predict {self.path} --count 64 --out made.png, or run.generate(64)."
            )
        if self.task == "enlarge":
            raise UsageError(
                f"{self.path} enlarges photos and answers no rows: "
                f"lamina predict {self.path} photo.jpg --out large.png, or run.enlarge(picture)."
            )

    def report(self) -> Path:
        """Write the report anew and return its place: one HTML file that needs no network."""
        if not self.folder.finished:
            raise RunError(f"{self.path} is unfinished. Run the same `lamina train` again to finish it.")
        path = write_report(self.path)
        self.folder.write_manifest()
        return path

    def _inputs(self) -> list[str]:
        return [column for part in self.plan.inputs.values() for column in part.columns]

    def _row(self, row: Mapping[Any, Any], more: Sequence[object]) -> Table:
        """One row as a table; where only numbers are read and these are plain, as `_usable` would give them in the end.

        Finding out that there is nothing to mend in them would take three times as long as answering.
        """
        names = self._inputs()
        columns = [self.trained.columns[name] for name in names]
        plain = all(column.kind == "number" and not column.missing and _is_plain(row.get(column.name))
                    for column in columns)  # fmt: skip
        if more or not plain:
            return self._usable(read([{name: [value] for name, value in row.items()}, *more]), needed=names)
        frame = pl.DataFrame([[float(row[name]) for name in names]], schema=names, orient="row")
        self._source, self._cells = Table(frame), []
        return self._source

    def _usable(self, table: Table, needed: Sequence[str]) -> Table:
        """A table as it was read with the columns that the run knows, in their kinds."""
        columns = {name: self.trained.columns[name] for name in dict.fromkeys(needed)}
        images = [name for name in columns if columns[name].kind == "image"]
        if len(images) == 1 and images[0] not in table.columns and "image" in table.columns:
            # A bare folder of pictures calls its column `image`, whatever the training table called it.
            table = replace(table, frame=table.frame.rename({"image": images[0]}),
                            media={images[0]: table.media["image"]})  # fmt: skip
        texts = [name for name in self._inputs() if columns[name].kind == "text"]
        if len(texts) == 1 and texts[0] not in table.columns and "text" in table.columns:
            table = replace(table, frame=table.frame.rename({"text": texts[0]}))  # a bare folder of texts, likewise
        self._source = table
        absent = [name for name in columns if name not in table.columns]
        if len(absent) > 1:  # a single one is named by `cast`, with the nearest name
            raise DataError(
                f"{table.name} has none of {listing(map(repr, absent))}, which {self.path} needs; it has "
                f"{listing(map(repr, table.columns))}. Is it the right table? Leave cells empty where "
                "values are not known."
            )
        table, problems = cast(table, columns, learned=True, unusable=self.plan.checks.unusable)
        self._cells = problems
        if len(table) == 0:
            raise DataError(f"{table.name} has no rows.")
        return table

    def _note(self) -> None:
        self.problems = [
            *(
                f"{self._source.where(each.row)}, column {each.column!r}: {each.cell!r} is {each.reason}"
                for each in self._cells
            ),
            *(f"{self._source.where(row)}: {why}" for row, why in self.trained.problems.items()),
        ]


def _is_plain(value: object) -> bool:
    """Whether it is a number that needs no second look: finite, and the same in 64 bits."""
    return (isinstance(value, float) and math.isfinite(value)) or (type(value) is int and abs(value) <= 2**53)


def load(path: str | Path, hidden: HiddenLayer | None = None) -> Run:
    """A finished run, verified: its manifest, and that the network answers as it did.

    Args:
        path: the folder that `lamina.train` made.
        hidden: the hidden layers, for a run that was trained with a module of one's own.

    Raises:
        RunError: if anything is missing, changed or damaged.
    """
    run = Run(path, hidden)
    assert run.trained is not None
    return run
