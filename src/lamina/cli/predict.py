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
) -> None:  # fmt: skip
    """Answer new rows with a trained network, a piece at a time.

    Examples:

      lamina predict runs/houses new.csv --out answers.csv

      lamina predict runs/photos picture.jpg

      lamina predict runs/houses --row rooms=4 --row area=120
    """
    with plainly():
        from lamina.api import predict_to

        predict_to(run, data or [], row or [], out, confidence, json)
