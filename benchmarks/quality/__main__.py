"""`python -m benchmarks.quality [ROW...]`: trains what has no result yet, one training at a time; resumable."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.keeping import REPOSITORY, Busy, alone, code_fingerprint, data_fingerprint, machine
from benchmarks.quality import page, results
from benchmarks.quality.rows import ROWS, Row
from benchmarks.quality.summary import summarise

SLACK_SECONDS = 600
"""How much longer than its time a process may take before it counts as stuck: data is read and trees are fitted."""


def main(
    rows: Annotated[
        list[str] | None, typer.Argument(help=f"Any of: {', '.join(ROWS)}. All when none is named.")
    ] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Only write docs/quality.md from the results at hand.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Try the script: one seed, 20 s, no result is kept.")] = False,
) -> None:
    """Train every row without a result for the present code and data, and keep the results."""
    code = code_fingerprint()
    if table:
        found = {name: result for name in ROWS if (result := results.newest(name, code)) is not None}
        page.write(REPOSITORY / "docs" / "quality.md", found, code)
        print(f"docs/quality.md: {len(found)} of {len(ROWS)} rows")
        return
    unknown = [name for name in rows or () if name not in ROWS]
    if unknown:
        raise typer.BadParameter(f"There is no row {unknown[0]!r}. Rows: {', '.join(ROWS)}.")
    if not os.environ.get("LAMINA_DATA"):
        raise typer.BadParameter("Set LAMINA_DATA to the folder of public data sets.")
    data = Path(os.environ["LAMINA_DATA"]).expanduser().absolute()
    failed = []
    try:
        with alone(results.WORK):
            # The benchmark is stated for two cores: every process started here counts these and no more.
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
            for name in rows or ROWS:
                try:
                    measure(ROWS[name], data, code, quick)
                except (subprocess.SubprocessError, OSError) as error:
                    print(f"{name:24} failed: {error}", flush=True)
                    failed.append(name)
    except Busy as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    if failed:
        print(f"without a result: {', '.join(failed)}; the same command tries them again", file=sys.stderr)
        raise typer.Exit(1)


def measure(row: Row, data: Path, code: str, quick: bool) -> None:
    """Everything that one row needs: what is there already is taken as it is."""
    content = data_fingerprint(data / row.place)
    path = results.kept(row.name, code, content)
    if path.exists() and not quick:
        print(f"{row.name:24} has a result for this code and data", flush=True)
        return
    limit = "20s" if quick else f"{row.minutes}m"
    seeds = list(range(1 if quick else row.seeds))
    work = results.WORK / row.name
    lamina = [work / f"{code}-{content}-{limit}" / f"seed-{seed}" for seed in seeds]
    classical = [work / f"classical-{results.classical_fingerprint()}-{content}" / f"seed-{seed}" for seed in seeds]
    for seed in seeds:
        if row.compared:
            one("classical", row, seed, data, classical[seed], limit)
        one("lamina", row, seed, data, lamina[seed], limit)
        if code_fingerprint() != code:
            (lamina[seed] / "lamina.json").unlink()
            raise SystemExit(
                "src/lamina changed during this training, so nobody could say what was measured: start again"
            )
    figures = summarise(row, lamina, classical)
    result: dict[str, Any] = {
        "row": row.name, "metric": row.metric, "code": code, "data": content, "seeds": seeds, "time": limit,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"scripts/bench quality {row.name}{' --quick' * quick}",
    } | figures | {"machine": machine(results.LIBRARIES)}  # fmt: skip
    if not quick:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n")
    models = [model for model in ("lamina", "trees", "linear") if model in result]
    said = "   ".join(f"{model} {result[model]['value']:.5g}" for model in models)
    print(f"{row.name:24} {row.metric} {said.removeprefix('lamina ')}   {page.reached(row, result)}", flush=True)


def one(what: str, row: Row, seed: int, data: Path, folder: Path, limit: str) -> None:
    """One training or fit in a process of its own, unless its scores lie there already."""
    if (folder / f"{what}.json").exists():
        return
    start = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.quality.one", what, row.name, str(seed), str(data), str(folder), limit]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "src")])}
    budget = (20 if limit.endswith("s") else 60 * row.minutes) + SLACK_SECONDS
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, timeout=budget)
    print(f"{row.name:24} seed {seed}: {what}, {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
