"""`python -m benchmarks.precision [ROW...]`: the same trainings in several ways of computing; resumable."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.keeping import REPOSITORY, Busy, alone, code_fingerprint, data_fingerprint, machine, newest
from benchmarks.precision.page import mean, page
from benchmarks.precision.rows import ROWS, Compared

HERE = Path(__file__).parent
RESULTS, WORK = HERE / "results", HERE / "work"
PAGE = REPOSITORY / "docs" / "precision.md"


def main(
    rows: Annotated[
        list[str] | None, typer.Argument(help=f"Any of: {', '.join(ROWS)}. All when none is named.")
    ] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Only write docs/precision.md from the results at hand.")
    ] = False,
) -> None:
    """Train each row in every way with the same seeds and steps; what has a result for the present code is left out.

    docs/precision.md is written anew.
    """
    code = code_fingerprint()
    if not table:
        for name in rows or ():
            if name not in ROWS:
                raise typer.BadParameter(f"There is no row {name!r}. Rows: {', '.join(ROWS)}.")
        if not os.environ.get("LAMINA_DATA"):
            raise typer.BadParameter("Set LAMINA_DATA to the folder of public data sets.")
        data = Path(os.environ["LAMINA_DATA"]).expanduser().absolute()
        try:
            with alone(WORK):
                os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
                for name in rows or ROWS:
                    keep(ROWS[name], data, code)
        except Busy as error:
            print(error, file=sys.stderr)
            raise typer.Exit(1) from error
    found = newest(RESULTS, code)
    ordered = {name: found[name] for name in ROWS if name in found}
    PAGE.write_text(page(ordered, {name: compared.row for name, compared in ROWS.items()}, code))


def keep(compared: Compared, data: Path, code: str, results: Path = RESULTS, work: Path = WORK) -> None:
    """Train one row in all its ways and keep the figures, unless they are kept already."""
    name = compared.row.name
    content = data_fingerprint(data / compared.row.place)
    filed = f"{name}-{code}-{content}-{compared.fingerprint}"
    path = results / f"{filed}.json"
    if path.exists():
        print(f"{name:20} has a result for this code and data", flush=True)
        return
    seeds = list(range(compared.seeds))
    ways: dict[str, Any] = {}
    for seed in seeds:
        for way in compared.ways:  # in turns, so that a busy hour meets all
            said = one(name, way, seed, data, work / filed / f"{way}-{seed}")
            if code_fingerprint() != code:
                raise SystemExit("src/lamina changed meanwhile: nobody could say what was measured; start again")
            found = ways.setdefault(way, {"figures": [], "seconds": [], "steps": [], "decided": said["decided"]})
            for kept, value in (("figures", said["figure"]), ("seconds", said["seconds"]), ("steps", said["steps"])):
                found[kept].append(value)
    results.mkdir(exist_ok=True)
    result = {
        "row": name, "metric": compared.row.metric, "code": code, "data": content, "seeds": seeds, "ways": ways,
        "date": datetime.now(UTC).isoformat(timespec="seconds"), "command": f"scripts/bench precision {name}",
        "machine": machine(("torch", "numpy", "polars")),
    }  # fmt: skip
    path.write_text(json.dumps(result, indent=1) + "\n")
    told = ", ".join(f"{way} {mean([one['value'] for one in found['figures']]):.5g}" for way, found in ways.items())
    print(f"{name:20} {compared.row.metric}: {told}", flush=True)


def one(name: str, way: str, seed: int, data: Path, folder: Path) -> dict[str, Any]:
    """One training in a process of its own, unless what it said lies there already."""
    said = folder / "said.json"
    if not said.exists():
        command = [sys.executable, "-m", "benchmarks.precision.one", name, way, str(seed), str(data), str(folder)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "src")])}
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True)
        took = json.loads(said.read_text())
        print(f"{name:20} seed {seed} {way}: {took['figure']['value']:.5g} in {took['seconds']:.0f} s", flush=True)
    found: dict[str, Any] = json.loads(said.read_text())
    return found


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
