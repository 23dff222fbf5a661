"""`lamina plan`."""

from lamina.cli import _options as options
from lamina.cli._plainly import plainly


def plan(
    data: options.Data,
    predict: options.Predict = None,
    task: options.Task = None,
    scale: options.Scale = None,
    test: options.Test = None,
    plan: options.PlanFile = None,
    settings: options.Settings = None,
    time: options.Time = None,
    split: options.Split = None,
    seed: options.Seed = None,
) -> None:
    """Show what `train` would do with this data, before anything is spent.

    Standard output is a plan in YAML, each choice with its reason; `--plan FILE` takes it back. What was seen in the
    data, the layers with their shapes, and the time and memory to expect go to standard error.
    """
    with plainly():
        from lamina.api import make_plan

        print(make_plan(data, predict=predict, test=test, plan=plan, set=settings, time=time, split=split,
                        seed=seed, quiet=False, task=task, scale=scale).yaml, end="")  # fmt: skip
