"""`lamina train`."""

from typing import Annotated

import typer

from lamina.cli import _options as options
from lamina.cli._plainly import plainly


def train(
    data: options.Data,
    predict: options.Predict = None,
    task: options.Task = None,
    scale: options.Scale = None,
    test: options.Test = None,
    plan: options.PlanFile = None,
    settings: options.Settings = None,
    time: options.Time = None,
    split: options.Split = None,
    out: Annotated[str | None, typer.Option("--out", "-o", metavar="RUN", help="The folder of the run.  [default: runs/NAME]")] = None,
    seed: options.Seed = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Train into a new numbered folder, even if there is a run.")] = False,
    json: options.Json = False,
) -> None:  # fmt: skip
    """Train a network on data, judge it beside simpler ways, and write all of it into a run folder.

    Run again on an unfinished run it goes on where it stopped; on a finished one it shows the result.

    Examples:

      lamina train houses.csv --predict price

      lamina train photos/ --time 2m

      lamina train photos/ --task generate

      lamina train mails.csv -p spam --set hidden.width=512 --set training.optimizer=adamw

      torchrun --nproc-per-node 2 -m lamina train photos/
    """
    with plainly():
        from lamina.api import evaluation_json, train
        from lamina.ground import launched

        run = train(data, predict=predict, test=test, plan=plan, set=settings, time=time, split=split, out=out,
                    seed=seed, fresh=fresh, started=options.STARTED, task=task, scale=scale)  # fmt: skip
        if json and launched()[0] == 0:
            print(evaluation_json(run.evaluate()))
