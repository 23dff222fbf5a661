"""What enlarged photos are worth beside plain enlarging: on whole photos that were not learned from."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from lamina.data import Ragged, Table, photos_of
from lamina.ground import DataError
from lamina.metrics import Metric, difference, frechet, interval, photo_metrics
from lamina.network import Network, to_values
from lamina.run.enlarge import enlarged, scale_of
from lamina.run.evaluate import on_others
from lamina.run.eye import plain_eye
from lamina.run.fitted import Fitted
from lamina.run.photo_judge import FEWEST, check_pair, looks_real, measured, photo_at, plainly, squares
from lamina.run.prepared import Prepared
from lamina.run.sheet import as_url, png, sheet
from lamina.run.trained import Trained
from lamina.run.verdict import Rival, verdict

PLAIN = "bicubic"
"""The way that needs no learning."""
MOST, MOST_PIXELS = 200, 4_000_000
"""Photos that are measured, and pixels of the small ones: each is looked at in eight ways."""
_SHOWN, _SHOWN_SIDE = 6, 120
"""Photos that a report shows, and the side of what it shows of each, in pixels."""
Pair = tuple[np.ndarray, np.ndarray]
"""Brightness of a small photo and of the large one, each (height, width) of uint8."""
Figures = dict[str, dict[str, float]]


def evaluate_photos(prepared: Prepared, fitted: Fitted) -> dict[str, Any]:
    """The evaluation of a network that enlarges, beside bicubic interpolation."""
    split = prepared.split
    rows, on = split.test, "photos never seen"
    if not len(rows):
        rows, on = split.valid, "validation photos, which chose the best weights: this flatters"
    (name,), (given,) = prepared.plan.outputs, prepared.plan.inputs
    pairs = ((photo_at(prepared, f"inputs.{given}", row), photo_at(prepared, f"outputs.{name}", row)) for row in rows)
    return evaluate_pairs(fitted.trained, pairs, on)


def evaluate_other_photos(trained: Trained, table: Table) -> dict[str, Any]:
    """The evaluation of a trained network on other photos: those of `table`, whose cells are cast already.

    Raises:
        DataError: if none of them can be used.
        PlanError: if small and large ones do not belong together.
    """
    trained.problems = {}
    return on_others(evaluate_pairs(trained, _pairs_of(trained, table), "photos that were given"))


def _pairs_of(trained: Trained, table: Table) -> Iterator[Pair]:
    ((given, small),), ((name, large),) = trained.plan.inputs.items(), trained.plan.outputs.items()
    for chunk in table.chunks(np.arange(len(table)), list({*small.columns, *large.columns}), 1):
        row = int(chunk.rows[0])
        blocks = [small.prepare(chunk, trained.facts[f"inputs.{given}"]),
                  large.prepare(chunk, trained.facts[f"outputs.{name}"])]  # fmt: skip
        if problems := [why for block in blocks for why in block.problems.values()]:
            trained.problems[row] = problems[0]
            continue
        values = [to_values(block) for block in blocks]
        assert isinstance(values[0], Ragged) and isinstance(values[1], Ragged)
        pair = photos_of(values[0])[0].numpy(), photos_of(values[1])[0].numpy()
        check_pair(*pair, scale_of(trained.plan), table.where(row))
        yield pair


def evaluate_pairs(trained: Trained, pairs: Iterable[Pair], on: str) -> dict[str, Any]:
    """Figures of enlarged photos beside the true large ones, and beside plain enlarging; as many as are affordable.

    Args:
        trained: a network that enlarges.
        pairs: a small and a large photo each.
        on: what these photos are, in words.

    Raises:
        DataError: if there are none.
    """
    plan, network = trained.plan, trained.network
    assert isinstance(network, Network)
    (part,), scale = plan.outputs.values(), scale_of(plan)
    scores: dict[str, list[tuple[float, float]]] = {"": [], PLAIN: []}
    sets: dict[str, list[np.ndarray]] = {"": [], PLAIN: [], "real": []}
    shown: list[np.ndarray] = []
    pixels = 0
    for small, real in pairs:
        made, plain = enlarged(network, plan, small), plainly(small, scale)
        for who, one in (("", made), (PLAIN, plain)):
            scores[who].append(measured(one, real, scale))
            sets[who].append(squares(one))
        sets["real"].append(squares(real))
        if len(shown) < _SHOWN * 4:
            near = np.repeat(np.repeat(small, scale, 0), scale, 1)
            shown += [_middle(each) for each in (near, plain, made, real)]
        pixels += small.size
        if pixels >= MOST_PIXELS or len(scores[""]) == MOST:
            break
    count, seed = len(scores[""]), plan.training.seed
    if not count:
        raise DataError("There is no photo that could be enlarged and compared.")
    figures = {who: _figures(np.array(some), seed) for who, some in scores.items()}
    real_squares = np.concatenate(sets["real"])
    if len(real_squares) >= FEWEST:
        eye = plain_eye(real_squares)
        seen = eye.look(real_squares).features
        for who in figures:
            far = frechet(eye.look(np.concatenate(sets[who])).features, seen)
            figures[who]["frechet"] = {"value": far, "low": far, "high": far}
    decides = "frechet" if looks_real(plan) else "psnr"
    return {
        "rows": count,
        "on": f"{count:,} {on}",
        "decides": f"{part.column}.{decides}",
        "deciding": {part.column: decides},
        "metrics": {part.column: figures[""]},
        "baselines": {PLAIN: {part.column: figures[PLAIN]}},
        "verdict": _looks(figures) if looks_real(plan) else _verdict(scores, seed),
        "notes": _notes(scale, "frechet" in figures[""]),
        "pictures": {"beside": as_url(png(sheet(np.stack(shown)[:, None], 4)))},
    }


def _notes(scale: int, with_sets: bool) -> list[str]:
    said = (f"In decibels, of brightness as ITU-R BT.601 has it, without {scale} pixels at each border; the mean over "
            "photos. Small photos were made by Pillow's bicubic interpolation, unless they were given.")  # fmt: skip
    if not with_sets:
        return [said]
    return [said, "The Fréchet distance is that of squares of 32 x 32 pixels from those of the real photos, in "
                  "directions of edges and corners: what looks sharp lies near. It is not comparable with published "
                  "figures."]  # fmt: skip


def _verdict(scores: dict[str, list[tuple[float, float]]], seed: int) -> str:
    ours, plain = (np.array(scores[who])[:, 0] for who in ("", PLAIN))
    metric = photo_metrics()["psnr"]
    ahead, low, high = difference(metric, ours, plain, np.zeros(len(ours)), seed)
    return verdict(metric, [Rival(f"{PLAIN} interpolation", float(plain.mean()), ahead, low, high)], len(ours))


def _looks(figures: dict[str, Figures]) -> str:
    """How far photos look real, and what that costs; for a network that a critic has taught."""
    ours, plain = figures[""], figures[PLAIN]
    gained = ours["psnr"]["value"] - plain["psnr"]["value"]
    said = f"In PSNR, which prefers smooth photos, they are {abs(gained):.2f} dB {'ahead' if gained > 0 else 'behind'}."
    if "frechet" not in ours:
        return f"The photos are too small to say whether they look real. {said}"
    far, other = ours["frechet"]["value"], plain["frechet"]["value"]
    nearer = f"{other / max(far, 1e-9):,.1f} times nearer to real ones" if far < other else "no nearer to real ones"
    distances = f"(Fréchet distance {far:.3g} and {other:.3g})"
    return f"Enlarged photos look {nearer} than those by {PLAIN} interpolation {distances}. {said}"


def _middle(photo: np.ndarray) -> np.ndarray:
    """A square from the middle, of one size for all."""
    top, left = (max(side - _SHOWN_SIDE, 0) // 2 for side in photo.shape)
    square = photo[top : top + _SHOWN_SIDE, left : left + _SHOWN_SIDE]
    missing = [(0, _SHOWN_SIDE - side) for side in square.shape]
    return np.pad(square, missing, constant_values=255)


def _figures(scores: np.ndarray, seed: int) -> Figures:
    """PSNR and SSIM of photos (photos, 2), with intervals."""
    return {key: _figure(metric, scores[:, at], seed) for at, (key, metric) in enumerate(photo_metrics().items())}


def _figure(metric: Metric, scores: np.ndarray, seed: int) -> dict[str, float]:
    scores = scores[np.isfinite(scores)]
    value, low, high = interval(metric, scores, np.zeros(len(scores)), seed)
    low, high = (bound if np.isfinite(bound) else value for bound in (low, high))
    return {"value": value, "low": float(low), "high": float(high)}
