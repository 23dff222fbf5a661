"""Arguments and options that several verbs share, and the moment the command began."""

import time
from typing import Annotated

import typer

STARTED = time.monotonic()
"""As near to the start of the process as Python allows: `--time` counts from here."""

Data = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA...",
        help="CSV, TSV, Parquet, JSONL, Arrow, a folder of pictures (class folders), IDX, NPZ, or a .zip or .tar of "
        "these; several are joined.",
        show_default=False,
    ),
]
RunPath = Annotated[str, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)]
Predict = Annotated[
    list[str] | None,
    typer.Option("--predict", "-p", metavar="COLUMN", help="The column to predict; may be given several times."),
]
Test = Annotated[
    list[str] | None,
    typer.Option(
        "--test", metavar="DATA", help="Data to judge on, else rows are held out; may be given several times."
    ),
]
PlanFile = Annotated[
    str | None, typer.Option("--plan", metavar="FILE", help="A plan in YAML, as `lamina plan` prints it.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="KEY=VALUE", help="Change one key of the plan: training.epochs=12."),
]
Time = Annotated[
    str | None,
    typer.Option(
        "--time", "-t", metavar="TIME", help="The most that all of it may take: 90s, 5m, 1h30m.  [default: 5m]"
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        "--split", metavar="HOW", help="random, stratified, group, time, given, or a column naming the parts."
    ),
]
Task = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="NAME",
        help="generate: make pictures like those given; enlarge: make photos larger.",
    ),
]
Scale = Annotated[
    int | None, typer.Option("--scale", metavar="N", help="How many times larger: 2, 3 or 4.  [default: 2]")
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="All randomness follows from it.  [default: 0]")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
