"""`lamina evaluate`."""

from typing import Annotated

import typer

from lamina.cli import _options as options
from lamina.cli._plainly import plainly


def evaluate(
    run: options.RunPath,
    data: Annotated[list[str] | None, typer.Argument(metavar="DATA...", help="Rows with answers; without it, what was measured after training is shown.", show_default=False)] = None,
    json: options.Json = False,
) -> None:  # fmt: skip
    """Measure a trained network on rows whose answers are known, with intervals."""
    with plainly():
        from lamina.api import evaluation_json, evaluation_lines, load

        found = load(run).evaluate(*(data or ()))
        print(evaluation_json(found) if json else "\n".join(evaluation_lines(found)))
