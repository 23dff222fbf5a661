"""`python -m benchmarks.speed [WORKLOAD...]`: measures what has no result yet, contenders in turn; resumable."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.keeping import REPOSITORY, Busy, alone, data_fingerprint, machine
from benchmarks.speed import page, results
from benchmarks.speed.contenders import CONTENDERS, Contender
from benchmarks.speed.environments import python_of
from benchmarks.speed.measure import LIMIT_SECONDS, Failed, measure
from benchmarks.speed.workloads import WORKLOADS, Workload


def main(
    workloads: Annotated[
        list[str] | None, typer.Argument(help=f"Any of: {', '.join(WORKLOADS)}. All when none is named.")
    ] = None,
    contenders: Annotated[
        str, typer.Option(help=f"Some of: {','.join(CONTENDERS)}. No result is kept without all of them.")
    ] = ",".join(CONTENDERS),
    environments: Annotated[
        Path, typer.Option(help="Where contenders' environments are made.", envvar="LAMINA_BENCH_ENVIRONMENTS")
    ] = results.WORK / "environments",
    table: Annotated[bool, typer.Option("--table", help="Only write docs/speed.md from the results at hand.")] = False,
    repeats: Annotated[int, typer.Option(help="Rounds of all contenders.", min=1)] = 3,
    part: Annotated[float, typer.Option(help="The share of the rows, on a machine that is slow or busy.")] = 1.0,
    limit: Annotated[
        float, typer.Option(help="Seconds after which a contender counts as one that does not arrive.")
    ] = LIMIT_SECONDS,
    quick: Annotated[bool, typer.Option("--quick", help="Try the script: two batches, once; nothing is kept.")] = False,
) -> None:
    """Measure every workload without a result for the present code and data, and keep the results."""
    code = results.present_code()
    if table:
        found = {name: result for name in WORKLOADS if (result := results.newest(name, code)) is not None}
        page.write(REPOSITORY / "docs" / "speed.md", found, code)
        print(f"docs/speed.md: {len(found)} of {len(WORKLOADS)} workloads")
        return
    asked = contenders.split(",")
    for given, known in ((workloads or (), WORKLOADS), (asked, CONTENDERS)):
        unknown = [name for name in given if name not in known]
        if unknown:
            raise typer.BadParameter(f"There is no {unknown[0]!r}. Known: {', '.join(known)}.")
    if not os.environ.get("LAMINA_DATA"):
        raise typer.BadParameter("Set LAMINA_DATA to the folder of public data sets.")
    try:
        with alone(results.WORK):
            # The benchmark is stated for two cores: every process started here counts these and no more.
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
            asked_for = [WORKLOADS[name] for name in workloads or WORKLOADS]
            wanted = [workload.quick() if quick else workload.part(part) for workload in asked_for]
            make_data(Path(os.environ["LAMINA_DATA"]).expanduser().absolute(), wanted)
            pythons, failed = make_environments(asked, environments.absolute())
            for workload in wanted:
                failed |= run(workload, pythons, code, 1 if quick else repeats, quick, limit)
    except Busy as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    if failed:
        print(f"failed: {', '.join(sorted(failed))}; the same command tries again", file=sys.stderr)
        raise typer.Exit(1)


def make_data(data: Path, workloads: Sequence[Workload]) -> None:
    """Arrays and weights that all contenders are handed; in a process of its own, which imports PyTorch."""
    for workload in workloads:
        files = results.WORK / "data" / workload.data / "files"
        if workload.kind == "folder" and 0 < sum(path.is_file() for path in files.rglob("*")) != workload.rows:
            shutil.rmtree(files.parent)  # made when the workload had another size
    names = sorted({workload.data for workload in workloads if workload.data})
    paths = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "src")])
    subprocess.run([sys.executable, "-m", "benchmarks.speed.data", data, results.WORK / "data", *names],
                   check=True, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": paths})  # fmt: skip


def make_environments(names: list[str], folder: Path) -> tuple[dict[Contender, Path], set[str]]:
    """The Python of each contender, and the contenders whose environment could not be made."""
    pythons, failed = {}, set()
    for name in names:
        try:
            pythons[CONTENDERS[name]] = python_of(CONTENDERS[name], folder)
        except subprocess.CalledProcessError as error:
            print(f"{CONTENDERS[name].title}: no environment: {error}", file=sys.stderr, flush=True)
            failed.add(name)
    return pythons, failed


def run(workload: Workload, pythons: Mapping[Contender, Path], code: str, repeats: int, quick: bool,
        limit: float) -> set[str]:  # fmt: skip
    """All repeats of one workload, a round of all contenders after another; the contenders that failed."""
    data = data_fingerprint(results.WORK / "data" / workload.data) if workload.data else "none"
    path = results.kept(workload.name, code, data)
    if not quick and path.exists() and not json.loads(path.read_text())["failed"]:
        print(f"{workload.name:14} has a result for this code and data", flush=True)
        return set()
    work = None if quick else results.WORK / f"{workload.name}-{code}-{data}-{workload.rows * workload.epochs}"
    taking_part = [contender for contender in pythons if contender.takes_part(workload)]
    measured: dict[str, list[dict[str, Any]]] = {contender.name: [] for contender in taking_part}
    failed: dict[str, str] = {}
    for repeat in range(repeats):
        for contender in taking_part:
            if contender.name in failed:
                continue
            try:
                found = once(workload, contender, pythons[contender], work, repeat, limit)
            except Failed as error:
                print(f"{workload.name:14} {contender.title:20} failed: {error}", flush=True)
                failed[contender.name] = str(error)
                del measured[contender.name]
            else:
                measured[contender.name].append(found)
        if results.present_code() != code:
            raise SystemExit("Lamina or the benchmark changed, so nobody could say what was measured: start again")
    result = results.summarise(workload, measured)
    if workload.has_floor:
        result["floor"] = least(workload)
    print("\n".join(page.table(workload, result)), flush=True)
    if len(pythons) == len(CONTENDERS) and not quick:
        keep(path, workload, result | {"code": code, "data": data, "repeats": repeats, "failed": failed,
                                       "rows": workload.rows, "epochs": workload.epochs})  # fmt: skip
    return set(failed)


def once(workload: Workload, contender: Contender, python: Path, work: Path | None, repeat: int,
         limit: float) -> dict[str, Any]:  # fmt: skip
    """One measurement, unless its result lies there already; without a folder nothing is kept."""
    path = None if work is None else work / f"{contender.name}-{repeat}.json"
    if path is not None and path.exists():
        return json.loads(path.read_text())
    found = measure(workload, contender, python, results.WORK, limit)
    print(f"{workload.name:14} {contender.title:20} {repeat + 1}: {page.number(found['value'])} {workload.unit}",
          flush=True)  # fmt: skip
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1))
    return found


def least(workload: Workload) -> dict[str, float]:
    """The machine's rates, and the rows a second that they would allow."""
    command = [sys.executable, "-m", "benchmarks.speed.floor", workload.network, str(workload.batch_size)]
    found = json.loads(subprocess.run(command, check=True, cwd=REPOSITORY, capture_output=True, text=True).stdout)
    seconds = found["answer_seconds" if workload.kind == "throughput" else "train_seconds"]
    return {"operations": found["operations"], "bytes": found["bytes"], "value": 1 / seconds}


def busy() -> float:
    """How many processes wanted to compute at once in the last quarter of an hour, on average."""
    return round(os.getloadavg()[2], 1)


def keep(path: Path, workload: Workload, result: dict[str, Any]) -> None:
    """Write the result of a workload to where the page finds it."""
    result |= {
        "workload": workload.name, "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["scripts/bench", "speed", *sys.argv[1:]]), "busy": busy(),
        "machine": machine(results.LIBRARIES),
    }  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
