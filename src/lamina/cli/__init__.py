"""The command line: one file per verb, each one call into `api`.

Heavy imports happen inside the verbs, so that `lamina --help` answers at once.
"""

import warnings

import typer

from lamina.cli.doctor import doctor
from lamina.cli.evaluate import evaluate
from lamina.cli.plan import plan
from lamina.cli.predict import predict
from lamina.cli.report import report
from lamina.cli.sample import sample
from lamina.cli.train import train

app = typer.Typer(
    name="lamina",
    help="Train neural networks from data: point at a table or a folder of pictures and get a measured, "
    "explained, reusable network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (train, plan, predict, evaluate, report, doctor, sample):
    app.command()(verb)


def _version(wanted: bool) -> None:
    if wanted:
        from lamina.ground import VERSION

        print(f"lamina {VERSION}")
        raise typer.Exit


@app.callback()
def _options(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True,
                                          help="Print the version and end.")) -> None:  # fmt: skip
    pass


def main() -> None:
    """Run the command line."""
    warnings.filterwarnings("ignore", module="PIL")  # of damaged pictures: those are named by Lamina itself
    app()


__all__ = ["app", "main"]
