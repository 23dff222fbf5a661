"""What every step changes in those who learn: taken, and taken up again."""

from collections.abc import Mapping
from typing import Any

from lamina.data import Stream
from lamina.objectives import Objective
from lamina.training.averaging import Average
from lamina.training.update import Update


def course_of(objective: Objective, stream: Stream, updates: Mapping[str, Update], average: Average) -> dict[str, Any]:
    """Nested plain values and tensors; the tensors are those at work, not copies."""
    return {
        "stream": stream.state(),
        "objective": objective.state(),
        "players": {name: player.state_dict() for name, player in objective.players.items()},
        "average": {"updates": average.updates, "weights": average.module.state_dict()},
        "optimizers": {
            name: [optimizer.state_dict() for optimizer in update.optimizers] for name, update in updates.items()
        },
    }


def take_up(course: Mapping[str, Any], objective: Objective, stream: Stream, updates: Mapping[str, Update],
            average: Average | None) -> None:  # fmt: skip
    """Go on where `course_of` was called."""
    stream.restore(course["stream"])
    objective.restore(course["objective"])
    for name, weights in course["players"].items():
        objective.players[name].load_state_dict(weights)
    if average is not None:
        average.updates = course["average"]["updates"]
        average.module.load_state_dict(course["average"]["weights"])
    for name, update in updates.items():
        for optimizer, values in zip(update.optimizers, course["optimizers"][name], strict=True):
            optimizer.load_state_dict(values)
        update.clear()  # of a step that came to nothing
