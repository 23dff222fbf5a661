"""`python -m benchmarks.memory [ROW...]`: private memory and speed on much data beside a small part of it."""

import json
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.keeping import REPOSITORY, Busy, alone, code_fingerprint, machine, newest
from benchmarks.memory.page import page
from benchmarks.memory.rows import QUICK, SIZES, Size, measure

HERE = Path(__file__).parent
RESULTS, WORK = HERE / "results", HERE / "work"
PAGE = REPOSITORY / "docs" / "memory.md"


def main(
    rows: Annotated[
        list[str] | None, typer.Argument(help=f"Any of: {', '.join(SIZES)}. All when none is named.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Try the script on little data; no result is kept.")] = False,
    table: Annotated[bool, typer.Option("--table", help="Only write docs/memory.md from the results at hand.")] = False,
) -> None:
    """Learn and answer on much data, sampling private memory; what has a result for the present code is left out.

    Needs 24 GB of disk; the data is taken away again. docs/memory.md is written anew.
    """
    code = code_fingerprint()
    if not table:
        for name in rows or ():
            if name not in SIZES:
                raise typer.BadParameter(f"There is no row {name!r}. Rows: {', '.join(SIZES)}.")
        try:
            with alone(WORK):
                os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
                for name in rows or SIZES:
                    keep(name, (QUICK if quick else SIZES)[name], code, keeps=not quick)
        except Busy as error:
            print(error, file=sys.stderr)
            raise typer.Exit(1) from error
    if not quick:
        PAGE.write_text(page(newest(RESULTS, code), code))


def keep(name: str, size: Size, code: str, keeps: bool, results: Path = RESULTS, work: Path = WORK) -> None:
    """Measure one row and keep its figures, unless they are kept already."""
    path = results / f"{name}-{code}.json"
    if keeps and path.exists():
        print(f"{name:8} has a result for this code", flush=True)
        return
    shutil.rmtree(work / name, ignore_errors=True)
    try:
        cases = measure(name, size, work)
    finally:
        shutil.rmtree(work / name, ignore_errors=True)
    if keeps and code_fingerprint() != code:
        raise SystemExit("src/lamina changed meanwhile: nobody could say what was measured; start again")
    if keeps:
        results.mkdir(exist_ok=True)
        kept = {
            "row": name, "code": code, "cases": cases, "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": f"scripts/bench memory {name}", "machine": machine(("torch", "numpy", "polars", "pillow")),
        }  # fmt: skip
        path.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
