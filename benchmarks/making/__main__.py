"""`python -m benchmarks.making [ROW...]`: trains what has no result yet for the present code and data."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.keeping import REPOSITORY, Busy, alone, code_fingerprint, data_fingerprint, machine, newest
from benchmarks.making.page import page
from benchmarks.making.rows import ROWS, Row, figures
from benchmarks.making.steps import compare

HERE = Path(__file__).parent
RESULTS, WORK = HERE / "results", HERE / "work"
PAGE = REPOSITORY / "docs" / "making.md"
STEPS = "steps"
"""The row that compares steps a second with a loop written by hand."""
LIBRARIES = ("torch", "numpy", "pillow", "scikit-learn", "scipy")


def main(
    rows: Annotated[
        list[str] | None, typer.Argument(help=f"Any of: {', '.join((*ROWS, STEPS))}. All when none is named.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Try the script: 30 s a row, no result is kept.")] = False,
    table: Annotated[bool, typer.Option("--table", help="Only write docs/making.md from the results at hand.")] = False,
) -> None:
    """Train every row without a result, on two cores, with no setting but the time, and keep its figures.

    docs/making.md is written anew each time.
    """
    if not table:
        _run(rows, quick)
    code = code_fingerprint()
    PAGE.write_text(page(newest(RESULTS, code), code))


def _run(rows: list[str] | None, quick: bool) -> None:
    """The rows of these names, or all."""
    for name in rows or ():
        if name not in (*ROWS, STEPS):
            raise typer.BadParameter(f"There is no row {name!r}. Rows: {', '.join((*ROWS, STEPS))}.")
    if rows != [STEPS] and not os.environ.get("LAMINA_DATA"):
        raise typer.BadParameter("Set LAMINA_DATA to the folder of public data sets.")
    data = Path(os.environ.get("LAMINA_DATA", "")).expanduser().absolute()
    try:
        with alone(WORK):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
            for name in rows or (*ROWS, STEPS):
                if name == STEPS:
                    measure_steps(keeps=not quick)
                    continue
                measure(ROWS[name], data / ROWS[name].data, "30s" if quick else ROWS[name].time, keeps=not quick)
    except Busy as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


def measure(row: Row, data: Path, time: str, keeps: bool, results: Path = RESULTS, work: Path = WORK) -> None:
    """Train one row and say what it reached; nothing where its result is kept already.

    Args:
        row: which.
        data: the folder that holds its files.
        time: the whole of the training.
        keeps: whether the result is kept.
        results: where.
        work: for the run.
    """
    import lamina

    code, content = code_fingerprint(), data_fingerprint(data)
    path = results / f"{row.name}-{code}-{content}.json"
    if keeps and path.exists():
        print(f"{row.name:24} has a result for this code and data", flush=True)
        return
    run = lamina.train(
        [data / name for name in row.train], test=[data / name for name in row.test] if len(row.test) > 1
        else data / row.test[0], task=row.task, scale=row.scale, time=time, out=work / row.name, fresh=True, quiet=True,
    )  # fmt: skip
    found = figures(run.evaluation)
    said = {key: {"value": found[key], "reached": goal.reached(found[key])} for key, goal in row.goals.items()}
    if keeps and code_fingerprint() != code:
        raise SystemExit("src/lamina changed during this training: nobody could say what was measured; start again")
    if keeps:
        results.mkdir(exist_ok=True)
        kept = {
            "row": row.name, "code": code, "data": content, "time": time, "figures": found, "goals": said,
            "verdict": run.verdict, "steps": run.folder.state()["steps"], "seconds": run.folder.state()["timing"],
            "date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(LIBRARIES),
            "command": f"scripts/bench making {row.name}",
        }  # fmt: skip
        path.write_text(json.dumps(kept, indent=1) + "\n")
    print(f"{row.name:24} " + "   ".join(f"{key} {one['value']:.4g} ({one['reached']})" for key, one in said.items()),
          flush=True)  # fmt: skip


def measure_steps(keeps: bool, results: Path = RESULTS) -> None:
    """Compare steps a second with a loop written by hand, and say what came; nothing where a result is kept."""
    code = code_fingerprint()
    path = results / f"{STEPS}-{code}.json"
    if keeps and path.exists():
        print(f"{STEPS:24} has a result for this code", flush=True)
        return
    found = compare(seconds=4.0, repeats=7) if keeps else compare(seconds=0.5, repeats=2)
    if keeps:
        results.mkdir(exist_ok=True)
        kept = {
            "row": STEPS, "code": code, **found, "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(LIBRARIES), "command": f"scripts/bench making {STEPS}",
        }  # fmt: skip
        path.write_text(json.dumps(kept, indent=1) + "\n")
    said = ("over_by_hand", "over_by_hand_penalties_each_step", "share_of_the_floor")
    print(f"{STEPS:24} " + "   ".join(f"{name} {found[name]}" for name in said), flush=True)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
