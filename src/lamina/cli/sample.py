"""`lamina sample`."""

from typing import Annotated

import typer

from lamina.cli._plainly import plainly


def sample(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="digits, shapes, iris, wine, breast_cancer, diabetes or library; without it they are listed.", show_default=False)] = None,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Where to write it.")] = ".",
) -> None:  # fmt: skip
    """Write a small data set that is ready to train on."""
    with plainly():
        from lamina.api import SAMPLES, write_sample

        if name is None:
            for known, about in SAMPLES.items():
                print(f"{known:<15}{about}")
        else:
            print(write_sample(name, folder))
