"""What made pictures are worth: beside held-out ones, as sets, in figures and in words."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lamina.ground import numpy_generator
from lamina.metrics import coverage, frechet
from lamina.run.evaluate import timing
from lamina.run.eye import Eye, Seen
from lamina.run.fitted import Fitted
from lamina.run.picture_judge import asked_numbers
from lamina.run.prepared import Prepared
from lamina.run.sheet import as_url, png, sheet
from lamina.run.trained import raw_scores

MOST = 5_000
"""Pictures of a set that is looked at."""
REAL, MEAN, NOISE = "real training pictures", "always the mean picture", "noise"
"""What made pictures stand beside: as good as can be, and what nobody should be content with."""
_RESAMPLES = 20
_FRAMES = 8
"""Sheets of the film that a report shows."""
_PAIRS = 16
"""Made pictures that are shown beside the training pictures nearest to them."""
_LEARNED = 20_000
"""Training pictures among which the nearest is looked for."""
_NARROW, _NEAR = 0.5, 0.1
"""Below this share of the recall of real pictures something is left out; above this share of pictures nearer to a
training picture than all but a hundredth of the real ones, training pictures are copied."""

Figures = dict[str, dict[str, float]]


def evaluate_pictures(prepared: Prepared, fitted: Fitted, film: Callable[[], Mapping[int, bytes]]) -> dict[str, Any]:
    """The evaluation of a network that makes pictures, beside pictures that neither it nor the eye learned from."""
    eye, trained, plan, split = prepared.eye, fitted.trained, prepared.plan, prepared.split
    assert eye is not None
    rows, on = split.test[:MOST], "test pictures, never seen"
    if not len(rows):
        rows, on = split.valid[:MOST], "validation pictures, which chose the best weights: this flatters"
    ((name, part),) = plan.outputs.items()
    pictures = prepared.blocks[f"outputs.{name}"].values
    random = numpy_generator(plan.training.seed, "evaluate pictures")
    raw = raw_scores(trained.network, prepared.collate(trained.device), rows)[name]
    made = trained.network.outputs[name].decode(raw, {}).scores
    real, asked = np.asarray(pictures[rows]), asked_numbers(prepared, rows)
    learned = _alike(prepared, rows, asked, random)
    mean = np.broadcast_to(np.asarray(pictures[learned]).mean(0).round().astype(np.uint8), made.shape)
    noise = random.integers(0, 256, made.shape, dtype=np.uint8)
    seen = eye.look(real)
    floor = np.asarray(pictures[learned])
    sets = {"": (made, asked), REAL: (floor, asked_numbers(prepared, learned)), MEAN: (mean, asked),
            NOISE: (noise, asked)}  # fmt: skip
    figures = {who: _figures(eye.look(some), seen, wanted, random) for who, (some, wanted) in sets.items()}
    ours = figures.pop("")
    copies = _copies(made, real, np.asarray(pictures[np.sort(random.permutation(split.train)[:_LEARNED])]))
    return {
        "rows": len(rows),
        "on": f"{len(rows):,} {on}",
        "decides": f"{part.column}.frechet",
        "deciding": {part.column: "frechet"},
        "metrics": {part.column: ours},
        "baselines": {who: {part.column: theirs} for who, theirs in figures.items()},
        "verdict": _verdict(ours, figures, copies.share),
        "notes": [f"Figures of sets are taken of {eye.name}{_skill(eye, seen, asked)}. They compare trainings on this "
                  "data and are not comparable with published ones."],
        "pictures": {
            "made": as_url(png(sheet(made[:64], 8))),
            "nearest": as_url(png(sheet(copies.pairs, _PAIRS))),
            "film": [{"step": step, "sheet": as_url(data)} for step, data in _spread(film())],
        },
        "timing": timing(trained, prepared.table, rows[:256]),
    }  # fmt: skip


def _alike(prepared: Prepared, rows: np.ndarray, asked: np.ndarray | None, random: np.random.Generator) -> np.ndarray:
    """As many training rows as `rows`, with as many of each class, as far as there are."""
    train = random.permutation(prepared.split.train)
    if asked is None:
        return np.sort(train[: len(rows)])
    classes = asked_numbers(prepared, train)
    assert classes is not None
    return np.sort(np.concatenate([train[classes == one][: int((asked == one).sum())] for one in np.unique(asked)]))


def _figures(some: Seen, real: Seen, asked: np.ndarray | None, random: np.random.Generator) -> Figures:
    """Every figure of a set of pictures beside the real ones, with intervals."""
    found: Figures = {"frechet": _frechet(some.features, real.features, random)}
    if some.classes is not None and asked is not None:
        found["recognised"] = _share(float((some.classes == asked).mean()), len(asked))
    covered = coverage(some.features, real.features)
    found["precision"] = _share(covered.precision, len(some.features))
    found["recall"] = _share(covered.recall, len(real.features))
    return {key: figure for key, figure in found.items() if np.isfinite(figure["value"])}


def _frechet(some: np.ndarray, real: np.ndarray, random: np.random.Generator) -> dict[str, float]:
    """With an interval from the spread of resamples; their mean is no use, for a set drawn twice looks narrower."""
    value = frechet(some, real)
    again = [frechet(some[random.integers(len(some), size=len(some))], real[random.integers(len(real), size=len(real))])
             for _ in range(_RESAMPLES)]  # fmt: skip
    reach = 1.96 * float(np.std(again))
    return {"value": value, "low": max(value - reach, 0.0), "high": value + reach}


def _share(value: float, count: int) -> dict[str, float]:
    """A share with the interval of Wilson (1927)."""
    z = 1.96
    middle = (value + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = z / (1 + z**2 / count) * float(np.sqrt(max(value * (1 - value), 0) / count + z**2 / (4 * count**2)))
    return {"value": value, "low": min(max(middle - reach, 0.0), value), "high": max(min(middle + reach, 1.0), value)}


def _skill(eye: Eye, real: Seen, asked: np.ndarray | None) -> str:
    if real.classes is None or asked is None:
        return ""
    return f" (it recognises {(real.classes == asked).mean():.1%} of the held-out ones)"


class _Copies:
    """How near made pictures come to training pictures."""

    def __init__(self, share: float, pairs: np.ndarray):
        self.share = share
        """Of made pictures, those nearer to a training picture than all but a hundredth of held-out pictures are."""
        self.pairs = pairs
        """(2 * pairs, channels, height, width): made pictures, then the training picture nearest to each."""


def _copies(made: np.ndarray, real: np.ndarray, learned: np.ndarray) -> _Copies:
    """Look for the nearest training picture of each, pixel by pixel."""
    some = min(len(made), len(real), 1_000)
    ours, which = _nearest(made[:some], learned)
    theirs, _ = _nearest(real[:some], learned)
    share = float((ours < np.quantile(theirs, 0.01)).mean())
    shown = np.argsort(ours, kind="stable")[:_PAIRS]
    return _Copies(share, np.concatenate([made[shown], learned[which[shown]]]))


def _nearest(some: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the nearest of `others` in pixels, and which one it is."""
    flat, theirs = _small(some), _small(others)
    lengths = (theirs**2).sum(1)
    squares = np.concatenate([
        (piece**2).sum(1)[:, None] + lengths - 2 * piece @ theirs.T
        for piece in np.array_split(flat, max(len(flat) // 256, 1))
    ])  # fmt: skip
    which = squares.argmin(1)
    return np.sqrt(squares[np.arange(len(some)), which].clip(0)), which


def _small(pictures: np.ndarray) -> np.ndarray:
    """(pictures, numbers) brightness of every pixel, of every second or fourth where there are many."""
    step = max(max(pictures.shape[2:]) // 32, 1)
    return pictures[:, :, ::step, ::step].reshape(len(pictures), -1).astype(np.float32) / 255


def _spread(film: Mapping[int, bytes]) -> list[tuple[int, bytes]]:
    """A few frames from the first to the last."""
    steps = sorted(film)
    chosen = {steps[round(at)] for at in np.linspace(0, len(steps) - 1, min(_FRAMES, len(steps)))} if steps else set()
    return [(step, film[step]) for step in sorted(chosen)]


def _verdict(ours: Figures, others: Mapping[str, Figures], copied: float) -> str:
    """How far the pictures are from real ones, whether they show what was asked for, what is missing or copied."""
    distance, floor = ours["frechet"]["value"], others[REAL]["frechet"]["value"]
    naive = min(others[who]["frechet"]["value"] for who in (MEAN, NOISE))
    said = f"Made pictures lie {distance / max(floor, 1e-9):,.1f} times as far from unseen real ones as other real "
    said += f"pictures do (Fréchet distance {distance:.3g}; real {floor:.3g}, the mean picture or noise {naive:.3g})."
    if distance >= naive:
        said += " That is no better than the mean picture or noise: nothing was learned that is of use."
    if "recognised" in ours:
        said += f" {ours['recognised']['value']:.1%} are recognised as what was asked for"
        said += f" (of real ones {others[REAL]['recognised']['value']:.1%})." if "recognised" in others[REAL] else "."
    if "recall" in ours and "recall" in others[REAL]:
        mine, best = ours["recall"]["value"], others[REAL]["recall"]["value"]
        if mine < _NARROW * best:
            said += f" They leave much out: {mine:.0%} of real pictures have made ones around them ({best:.0%} have "
            said += "other real ones), a sign that the same few are made again and again."
        else:
            said += f" No sign that kinds are left out: {mine:.0%} of real pictures have made ones around them "
            said += f"({best:.0%} have other real ones)."
    if copied > _NEAR:
        said += f" {copied:.0%} are nearer to a training picture than real ones are: training pictures are copied."
    else:
        said += " No sign that training pictures are copied."
    return said
