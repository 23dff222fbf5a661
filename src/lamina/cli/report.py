"""`lamina report`."""

from typing import Annotated

import typer

from lamina.cli import _options as options
from lamina.cli._plainly import plainly


def report(
    run: options.RunPath,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write the report of a run anew (one HTML file that needs no network) and print its place."""
    with plainly():
        from lamina.api import load

        path = load(run).report()
        print(path)
        if show:
            import webbrowser

            webbrowser.open(path.resolve().as_uri())
