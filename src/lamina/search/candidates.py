"""Which of two plans to keep: both are trained on the same rows, and the rows to choose by decide.

Pictures beside the columns of a table may carry no news, and then a network that sees them learns what is peculiar to
each training row and answers worse than one that never saw them. Words in their order tell some questions apart that
a bag of phrases cannot, and of many texts nothing that the bag does not (measured: docs/lab-notes.md). So the plainer
plan is trained first, and the fuller one where its first network is the better one on the same rows.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lamina.run import Fitted, Prepared, Wishes, fit_ensemble

_PLAIN = "plain"
"""Where its decisions stand among those of the run, and its state in the folder of checkpoints."""


@dataclass(frozen=True)
class Candidates:
    """A plan and perhaps a plainer one for the same data."""

    whole: Prepared
    plain: Prepared | None = None
    """None when there is nothing to compare."""
    what: str = ""
    """What the plainer one does without, in words."""
    plain_share: float = 1.0
    """The most of the time that it takes; it ends when it has learned what it can."""


@dataclass(frozen=True)
class Chosen:
    """The candidate that is kept."""

    prepared: Prepared
    fitted: Fitted
    what: str = ""
    """What the candidates differ in, in words."""
    reason: str | None = None
    """Why it was kept, in words; None when there was no choice."""


def fit_candidates(candidates: Candidates, wishes: Wishes) -> Chosen:
    """Train the plainer plan, then the fuller one, which is given up where its first network is not the better one.

    Args:
        candidates: one or two plans for the same data.
        wishes: the time is that of both together.

    Raises:
        Interrupted: when asked to stop; what is finished is not trained again.
    """
    whole, plain, what = candidates.whole, candidates.plain, candidates.what
    if plain is None:
        return Chosen(whole, fit_ensemble(whole, wishes))
    started = time.monotonic()
    first = fit_ensemble(plain, _for_plain(wishes, candidates.plain_share))
    left = wishes.seconds and max(wishes.seconds - (time.monotonic() - started), wishes.seconds / 2)
    second = fit_ensemble(whole, _for_whole(wishes, left), beat=first.figures[0])
    figures = f"{second.chose.key} {first.figures[0]:.4g} without {what}, {second.figures[0]:.4g} with"
    if not second.chose.better(second.figures[0], first.figures[0]):
        return Chosen(plain, first, what, f"left out, for rows to choose by are answered no better with: {figures}")
    return Chosen(whole, second, what, f"kept, for rows to choose by are answered better with: {figures}")


def _for_plain(wishes: Wishes, share: float) -> Wishes:
    """The plainer candidate's part of the time, and a place of its own for what is decided and saved."""
    decisions: dict[str, Any] = dict(wishes.decisions.get(_PLAIN, {}))

    def decided(more: Mapping[str, Any]) -> None:
        decisions.update(more)
        wishes.decided({_PLAIN: dict(decisions)})

    return replace(
        wishes,
        seconds=wishes.seconds and share * wishes.seconds,
        checkpoint=wishes.checkpoint and wishes.checkpoint / _PLAIN,
        decisions=dict(decisions),
        decided=decided,
    )


def _for_whole(wishes: Wishes, seconds: float | None) -> Wishes:
    """What is left of the time; its decisions stand where those of a single plan would."""
    return replace(
        wishes,
        seconds=seconds,
        checkpoint=wishes.checkpoint and wishes.checkpoint / "whole",
        decisions={name: value for name, value in wishes.decisions.items() if name != _PLAIN},
    )
