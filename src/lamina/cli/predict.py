"""`lamina predict`."""

from typing import Annotated

import typer

from lamina.cli import _options as options
from lamina.cli._plainly import plainly


def predict(
    run: options.RunPath,
    data: Annotated[list[str] | None, typer.Argument(metavar="DATA...", help="New rows: a table, pictures, an archive.", show_default=False)] = None,
    row: Annotated[list[str] | None, typer.Option("--row", "-r", metavar="COLUMN=VALUE", help="One row, cell by cell.")] = None,
    out: Annotated[str | None, typer.Option("--out", "-o", metavar="FILE", help="A .csv, .parquet or .jsonl file; otherwise CSV goes to standard output.")] = None,
    confidence: Annotated[bool, typer.Option(help="Write the confidence or interval beside each answer.")] = True,
    json: options.Json = False,
    count: Annotated[int | None, typer.Option("--count", "-n", metavar="N", help="How many pictures to make, where the run was trained with --task generate.")] = None,
    asked: Annotated[str | None, typer.Option("--class", metavar="NAME", help="The class of all pictures made; otherwise all classes in turn.")] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another seed, other pictures.")] = 0,
    between: Annotated[tuple[int, int] | None, typer.Option("--between", metavar="A B", help="From picture A to picture B of this seed, counted from 0.")] = None,
) -> None:  # fmt: skip
    """Answer new rows with a trained network, a piece at a time.

    Examples:

      lamina predict runs/houses new.csv --out answers.csv

      lamina predict runs/photos picture.jpg

      lamina predict runs/houses --row rooms=4 --row area=120

      lamina predict runs/digits --count 64 --out made.png
    """
    with plainly():
        from lamina.api import make_to, predict_to
        from lamina.ground import UsageError

        if count is not None:
            make_to(run, count, asked, seed, between, out)
            return
        if asked is not None or between is not None:
            raise UsageError("--class and --between ask for pictures to be made: --count says how many.")
        predict_to(run, data or [], row or [], out, confidence, json)
