"""What networks can be trained for. Whatever differs between tasks stands here; everything else is shared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.data import Table
from lamina.network import Collate, Network, Parts, Plan, enlarging, making, making_rows, predicting
from lamina.run.baselines import Baselines
from lamina.run.evaluate import evaluate_fitted
from lamina.run.evaluate_photos import evaluate_photos
from lamina.run.evaluate_pictures import evaluate_pictures
from lamina.run.evaluate_rows import evaluate_rows
from lamina.run.fitted import Fitted
from lamina.run.judging import Judge, Judging
from lamina.run.photo_judge import PhotoJudge
from lamina.run.picture_judge import PictureJudge
from lamina.run.prepared import Prepared
from lamina.run.row_judge import RowJudge
from lamina.run.to_make import to_enlarge, to_generate, to_make_rows
from lamina.run.to_predict import Said, to_predict


@dataclass(frozen=True)
class Found:
    """What an evaluation may stand on beside the network and its rows."""

    rivals: Mapping[str, Baselines]
    """Simpler ways, by output."""
    where: Callable[[int], str]
    """The place of a row, as the person knows it."""
    film: Callable[[], Mapping[int, bytes]]
    """Sheets of what was made at each judgement, by step."""


@dataclass(frozen=True)
class Task:
    """One thing that networks can be trained for."""

    about: str
    """In a list of all."""
    words: tuple[str, str, str]
    """Before the targets, before the inputs, and in place of inputs where there are none."""
    targets: Callable[[Table, Sequence[str], Said], tuple[tuple[str, ...], Said, str]]
    """The target columns, what is said of columns, and why; from the table, what was named, what a person said."""
    parts: Parts
    """Chooses the parts of the plan."""
    judge: Callable[[Prepared, Collate, Network, Path | None], Judging]
    """Made before training begins; the folder is for a film of what was made."""
    evaluate: Callable[[Prepared, Fitted, Found], dict[str, Any]]
    """At the end, on rows never seen."""
    use: Callable[[Plan], str]
    """What to type behind `lamina predict RUN`, as an example."""
    fewest: int = 0
    """Rows to learn from, below which there is nothing to be learned."""
    judgements: tuple[int, bool] = (60, True)
    """How many while training goes on, at most, and whether no more than one an epoch."""
    rivals: bool = False
    """Whether simpler ways learn the same."""
    folds: bool = False
    """Whether few rows are judged by folds; what is made takes too long to be trained six times."""
    eye: bool = False
    """Whether a classifier learns first, to look at what is made."""
    asked_for: bool = False
    """Whether inputs are classes to ask for: each is held out from alike."""


def _rows_or_text(plan: Plan) -> str:
    return '--prompt "..."' if any(part.kind == "next" for part in plan.outputs.values()) else "NEW_DATA"


def _judge_answers(prepared: Prepared, collate: Collate, network: Network, film: Path | None) -> Judging:
    return Judge(prepared.plan, prepared.facts, prepared.blocks, prepared.table, collate, prepared.judged, network)


def _judge_pictures(prepared: Prepared, collate: Collate, network: Network, film: Path | None) -> Judging:
    return PictureJudge(prepared, collate, film)


def _judge_rows(prepared: Prepared, collate: Collate, network: Network, film: Path | None) -> Judging:
    return RowJudge(prepared, collate, network)


def _judge_photos(prepared: Prepared, collate: Collate, network: Network, film: Path | None) -> Judging:
    return PhotoJudge(prepared)


TASKS: dict[str, Task] = {
    "predict": Task(
        about="answer columns from the others",
        words=("predict", "from", ""),
        targets=to_predict,
        parts=predicting,
        judge=_judge_answers,
        evaluate=lambda prepared, fitted, found: evaluate_fitted(prepared, fitted, found.rivals, found.where),
        use=_rows_or_text,
        rivals=True,
        folds=True,
    ),
    "generate": Task(
        about="make pictures like those given",
        words=("make pictures like", "asked for by", "without classes"),
        targets=to_generate,
        parts=making,
        judge=_judge_pictures,
        evaluate=lambda prepared, fitted, found: evaluate_pictures(prepared, fitted, found.film),
        use=lambda plan: "--count 64 --out made.png",
        fewest=32,
        judgements=(20, False),
        eye=True,
        asked_for=True,
    ),
    "rows": Task(
        about="make rows like those of a table",
        words=("make rows like", "together with", "with no other column"),
        targets=to_make_rows,
        parts=making_rows,
        judge=_judge_rows,
        evaluate=lambda prepared, fitted, found: evaluate_rows(prepared, fitted),
        use=lambda plan: "--count 1000 --out made.csv",
        fewest=32,
        judgements=(20, False),
    ),
    "enlarge": Task(
        about="make photos several times as large",
        words=("enlarge", "given small in", "made small first"),
        targets=to_enlarge,
        parts=enlarging,
        judge=_judge_photos,
        evaluate=lambda prepared, fitted, found: evaluate_photos(prepared, fitted),
        use=lambda plan: "photo.jpg --out large.png",
        fewest=4,
        judgements=(20, False),
    ),
}
