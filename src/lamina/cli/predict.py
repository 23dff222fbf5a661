"""`lamina predict`."""

from typing import Annotated

import typer

from lamina.cli import _options as options
from lamina.cli._plainly import plainly


def predict(
    run: options.RunPath,
    data: Annotated[list[str] | None, typer.Argument(metavar="DATA...", help="New rows: a table, pictures, an archive.", show_default=False)] = None,
    row: Annotated[list[str] | None, typer.Option("--row", "-r", metavar="COLUMN=VALUE", help="One row, cell by cell.")] = None,
    prompt: Annotated[str | None, typer.Option("--prompt", metavar="TEXT", help="A text to go on with, for runs trained on running text.")] = None,
    length: Annotated[int, typer.Option("--length", metavar="N", help="Characters to write after the prompt.")] = 300,
    next: Annotated[int | None, typer.Option("--next", metavar="N", help="Show the N likeliest next words after the prompt instead.")] = None,
    temperature: Annotated[float, typer.Option(metavar="T", help="Below 1 likely text, above it daring text; 0 always takes the likeliest.")] = 0.7,
    top_p: Annotated[float, typer.Option(metavar="P", help="Draw from the likeliest that together have this probability.")] = 1.0,
    repetition: Annotated[float, typer.Option(metavar="R", help="Above 1, what was just written is held back.")] = 1.0,
    chat: Annotated[bool, typer.Option("--chat", help="Answer every line that is typed, or comes from standard input.")] = False,
    out: Annotated[str | None, typer.Option("--out", "-o", metavar="FILE", help="A .csv, .parquet or .jsonl file; otherwise CSV goes to standard output.")] = None,
    confidence: Annotated[bool, typer.Option(help="Write the confidence or interval beside each answer.")] = True,
    json: options.Json = False,
    count: Annotated[int | None, typer.Option("--count", "-n", metavar="N", help="How many pictures or rows to make, where the run was trained with --task generate.")] = None,
    asked: Annotated[str | None, typer.Option("--class", metavar="NAME", help="The class of all pictures made; otherwise all classes in turn.")] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another seed, other pictures or another text.")] = 0,
    between: Annotated[tuple[int, int] | None, typer.Option("--between", metavar="A B", help="From picture A to picture B of this seed, counted from 0.")] = None,
) -> None:  # fmt: skip
    """Answer new rows with a trained network, a piece at a time.

    Examples:

      lamina predict runs/houses new.csv --out answers.csv

      lamina predict runs/photos picture.jpg

      lamina predict runs/houses --row rooms=4 --row area=120

      lamina predict runs/digits --count 64 --out made.png

      lamina predict runs/book --prompt "To be, or " --length 200

      lamina predict runs/library --chat
    """
    with plainly():
        from lamina.api import chat_to, make_to, predict_to, write_to
        from lamina.ground import UsageError

        if count is not None:
            make_to(run, count, asked, seed, between, out)
            return
        if asked is not None or between is not None:
            raise UsageError("--class and --between ask for pictures to be made: --count says how many.")
        if prompt is not None or next is not None:
            if data or row or out:
                raise UsageError("--prompt and --next go on with a text: leave out DATA, --row and --out.")
            write_to(run, prompt or "", length, next, temperature, top_p, repetition, seed, json)
            return
        if chat:
            if data or row or out:
                raise UsageError("--chat answers what is typed: leave out DATA, --row and --out.")
            chat_to(run)
            return
        predict_to(run, data or [], row or [], out, confidence, json)
