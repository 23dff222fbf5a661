"""What enlarged photos are worth beside plain enlarging: on whole photos that were not learned from."""

from typing import Any

import numpy as np

from lamina.metrics import Metric, difference, interval, photo_metrics
from lamina.network import Network
from lamina.run.enlarge import enlarged, scale_of
from lamina.run.fitted import Fitted
from lamina.run.photo_judge import measured, photo_at, plainly
from lamina.run.prepared import Prepared
from lamina.run.sheet import as_url, png, sheet
from lamina.run.verdict import Rival, verdict

PLAIN = "bicubic"
"""The way that needs no learning."""
MOST, MOST_PIXELS = 200, 4_000_000
"""Photos that are measured, and pixels of the small ones: each is looked at in eight ways."""
_SHOWN, _SHOWN_SIDE = 6, 120
"""Photos that a report shows, and the side of what it shows of each, in pixels."""


def evaluate_photos(prepared: Prepared, fitted: Fitted) -> dict[str, Any]:
    """The evaluation of a network that enlarges, beside bicubic interpolation."""
    trained, plan, split = fitted.trained, prepared.plan, prepared.split
    assert isinstance(trained.network, Network)
    rows, on = split.test, "photos never seen"
    if not len(rows):
        rows, on = split.valid, "validation photos, which chose the best weights: this flatters"
    ((name, part),), (given,) = plan.outputs.items(), plan.inputs
    scale = scale_of(plan)
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    shown: list[np.ndarray] = []
    pixels = 0
    for row in rows[:MOST]:
        small, real = (photo_at(prepared, path, row) for path in (f"inputs.{given}", f"outputs.{name}"))
        made, plain = enlarged(trained.network, plan, small), plainly(small, scale)
        ours.append(measured(made, real, scale))
        theirs.append(measured(plain, real, scale))
        if len(shown) < _SHOWN * 4:
            near = np.repeat(np.repeat(small, scale, 0), scale, 1)
            shown += [_middle(each) for each in (near, plain, made, real)]
        pixels += small.size
        if pixels >= MOST_PIXELS:
            break
    count = len(ours)
    mine, plain_ones = np.array(ours), np.array(theirs)
    metrics = photo_metrics()
    seed = plan.training.seed
    figures = {key: _figure(metric, mine[:, at], seed) for at, (key, metric) in enumerate(metrics.items())}
    naive = {key: _figure(metric, plain_ones[:, at], seed) for at, (key, metric) in enumerate(metrics.items())}
    nothing = np.zeros(count)
    ahead, low, high = difference(metrics["psnr"], mine[:, 0], plain_ones[:, 0], nothing, seed)
    rival = Rival(f"{PLAIN} interpolation", float(plain_ones[:, 0].mean()), ahead, low, high)
    return {
        "rows": count,
        "on": f"{count:,} {on}",
        "decides": f"{part.column}.psnr",
        "deciding": {part.column: "psnr"},
        "metrics": {part.column: figures},
        "baselines": {PLAIN: {part.column: naive}},
        "verdict": verdict(metrics["psnr"], [rival], count),
        "notes": [f"In decibels, of brightness as ITU-R BT.601 has it, without {scale} pixels at each border; the mean "
                  "over photos. Small photos were made by Pillow's bicubic interpolation, unless they were given."],
        "pictures": {"beside": as_url(png(sheet(np.stack(shown)[:, None], 4)))},
    }  # fmt: skip


def _middle(photo: np.ndarray) -> np.ndarray:
    """A square from the middle, of one size for all."""
    top, left = (max(side - _SHOWN_SIDE, 0) // 2 for side in photo.shape)
    square = photo[top : top + _SHOWN_SIDE, left : left + _SHOWN_SIDE]
    missing = [(0, _SHOWN_SIDE - side) for side in square.shape]
    return np.pad(square, missing, constant_values=255)


def _figure(metric: Metric, scores: np.ndarray, seed: int) -> dict[str, float]:
    scores = scores[np.isfinite(scores)]
    value, low, high = interval(metric, scores, np.zeros(len(scores)), seed)
    low, high = (bound if np.isfinite(bound) else value for bound in (low, high))
    return {"value": value, "low": float(low), "high": float(high)}
