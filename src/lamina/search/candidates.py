"""Which of two plans to keep: both are trained on the same rows, and the rows to choose by decide.

Pictures beside the columns of a table may carry no news, and then a network that sees them learns what is peculiar to
each training row and answers worse than one that never saw them (measured: docs/lab-notes.md). So where rows hold
both, a network without the pictures is trained as well.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lamina.run import Fitted, Prepared, Wishes, fit_ensemble

PLAIN_SHARE = 0.25
"""The most of the time that the plainer candidate takes; a table is learned sooner than pictures, and it ends then."""
_PLAIN = "plain"
"""Where its decisions stand among those of the run, and its state in the folder of checkpoints."""


@dataclass(frozen=True)
class Chosen:
    """The candidate that is kept."""

    prepared: Prepared
    fitted: Fitted
    reason: str | None = None
    """Why, in words; None when there was no choice."""


def fit_candidates(whole: Prepared, plain: Prepared | None, wishes: Wishes) -> Chosen:
    """Train a plan and, before it, one that does without pictures; keep the plainer one where it is judged better.

    Args:
        whole: the plan that sees everything.
        plain: the same data under a plan without pictures; None when there is nothing to compare.
        wishes: the time is that of both together.

    Raises:
        Interrupted: when asked to stop; what is finished is not trained again.
    """
    if plain is None:
        return Chosen(whole, fit_ensemble(whole, wishes))
    started = time.monotonic()
    first = fit_ensemble(plain, _for_plain(wishes))
    left = wishes.seconds and max(wishes.seconds - (time.monotonic() - started), wishes.seconds / 2)
    own = {name: value for name, value in wishes.decisions.items() if name != _PLAIN}
    place = wishes.checkpoint and wishes.checkpoint / "whole"
    second = fit_ensemble(whole, replace(wishes, seconds=left, decisions=own, checkpoint=place))
    figures = f"{second.chose.key} {first.figure:.4g} without pictures, {second.figure:.4g} with them"
    if first.chose.better(first.figure, second.figure):
        return Chosen(plain, first, f"left out, for the rows to choose by are answered better without: {figures}")
    return Chosen(whole, second, f"kept, for the rows to choose by are answered better with them: {figures}")


def _for_plain(wishes: Wishes) -> Wishes:
    """The plainer candidate's part of the time, and a place of its own for what is decided and saved."""
    decisions: dict[str, Any] = dict(wishes.decisions.get(_PLAIN, {}))

    def decided(more: Mapping[str, Any]) -> None:
        decisions.update(more)
        wishes.decided({_PLAIN: dict(decisions)})

    return replace(
        wishes,
        seconds=wishes.seconds and PLAIN_SHARE * wishes.seconds,
        checkpoint=wishes.checkpoint and wishes.checkpoint / _PLAIN,
        history=None,
        decisions=dict(decisions),
        decided=decided,
    )
