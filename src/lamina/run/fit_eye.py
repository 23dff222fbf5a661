"""Training the classifier that looks at made pictures."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lamina.data import Column
from lamina.ground import numpy_generator
from lamina.network import Plan, Scene, choose_plan
from lamina.run.eye import Eye, plain_eye
from lamina.run.fit_plan import fit_plan
from lamina.run.fitted import Fitted
from lamina.run.parts import fit_parts, prepare_parts
from lamina.run.prepared import Prepared
from lamina.run.wishes import Wishes

PLAIN_PICTURES = 2_000
"""Training pictures that an eye without classes is made from."""
EPOCHS, STEPS = 30, 2_000
"""The most that its classifier learns: enough to know classes apart, and made pictures are waiting."""
_EYE = "eye"
"""Where its decisions stand among those of the run, its state in the folder of checkpoints, and itself in the run."""


def fit_eye(prepared: Prepared, wishes: Wishes) -> tuple[Eye, Fitted | None]:
    """What will look at the pictures that a plan makes: a classifier of its training pictures, where they have classes.

    Args:
        prepared: pictures under the output of the plan, and under an input of categories what they are asked for by.
        wishes: the time is the classifier's own.

    Raises:
        Interrupted: when asked to stop; going on needs nothing else.
    """
    ((name, output),) = prepared.plan.outputs.items()
    asked = [part.columns[0] for part in prepared.plan.inputs.values() if part.kind == "category"]
    rows = prepared.split.train
    if not asked:
        some = numpy_generator(prepared.plan.training.seed, "eye").permutation(rows)[:PLAIN_PICTURES]
        return plain_eye(np.asarray(prepared.blocks[f"outputs.{name}"].values[np.sort(some)])), None
    plan = _classifier(prepared, output.column, asked[0])
    (seeing,) = plan.inputs
    facts = fit_parts(replace(plan, inputs={}), prepared.table, rows)
    blocks = prepare_parts(replace(plan, inputs={}), facts, prepared.table)
    facts[f"inputs.{seeing}"] = prepared.facts[f"outputs.{name}"]
    blocks[f"inputs.{seeing}"] = prepared.blocks[f"outputs.{name}"]
    columns = _roles(prepared.columns, output.column, asked[0])
    fitted = fit_plan(replace(prepared, plan=plan, facts=facts, blocks=blocks, columns=columns, eye=None),
                      _own(wishes))  # fmt: skip
    fitted.trained.network.looks_twice = False  # its features are those of one look
    return Eye(fitted.trained), fitted


def _roles(columns: Mapping[str, Column], pictures: str, classes: str) -> dict[str, Column]:
    return {pictures: replace(columns[pictures], role="input"), classes: replace(columns[classes], role="target")}


def _classifier(prepared: Prepared, pictures: str, classes: str) -> Plan:
    """The plan that Lamina would choose to tell these pictures' classes apart."""
    facts = next(facts for path, facts in prepared.facts.items() if path.startswith("outputs."))
    side = max(int(facts["height"]), int(facts["width"]))  # type: ignore[call-overload]
    scene = Scene(
        _roles(prepared.columns, pictures, classes), (classes,), len(prepared.split.train), side, mirror=False
    )
    settings = prepared.plan.training
    training = {"seed": settings.seed, "device": settings.device, "epochs": EPOCHS}
    if settings.steps is not None:  # where steps decide and not the time, they decide here, too
        training["steps"] = min(settings.steps, STEPS)
    return choose_plan(scene, {"training": training})


def _own(wishes: Wishes) -> Wishes:
    """A place of its own for what is decided and saved."""
    decisions: dict[str, Any] = dict(wishes.decisions.get(_EYE, {}))

    def decided(more: Mapping[str, Any]) -> None:
        decisions.update(more)
        wishes.decided({_EYE: dict(decisions)})

    return replace(wishes, checkpoint=wishes.checkpoint and wishes.checkpoint / _EYE, history=None, film=None,
                   decisions=dict(decisions), decided=decided)  # fmt: skip
