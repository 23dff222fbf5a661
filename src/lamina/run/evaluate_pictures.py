"""What made pictures are worth: beside held-out ones, as sets, in figures and in words."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lamina.data import Table
from lamina.ground import DataError, numpy_generator
from lamina.metrics import coverage, frechet
from lamina.network import Plan
from lamina.run.copies import copied
from lamina.run.evaluate import on_others, timing
from lamina.run.eye import Eye, Seen
from lamina.run.fitted import Fitted
from lamina.run.keep_eye import Kept
from lamina.run.make import make_like
from lamina.run.picture_judge import asked_numbers, frame_of
from lamina.run.prepared import Prepared
from lamina.run.sheet import as_url, png, sheet
from lamina.run.trained import Trained, raw_scores

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
    (name,) = plan.outputs
    pictures = prepared.blocks[f"outputs.{name}"].values
    random = numpy_generator(plan.training.seed, "evaluate pictures")
    raw = raw_scores(trained.network, prepared.collate(trained.device), rows)[name]
    made = trained.network.outputs[name].decode(raw, {}).scores
    real, asked = np.asarray(pictures[rows]), asked_numbers(prepared, rows)
    learned = alike(prepared.split.train, asked_numbers(prepared, prepared.split.train), len(rows), asked, random)
    copies = _copies(made, real, np.asarray(pictures[np.sort(random.permutation(split.train)[:_LEARNED])]))
    floor = eye.look(np.asarray(pictures[learned])), asked_numbers(prepared, learned)
    found = _compared(plan, eye, made, real, asked, floor, random, copies.share)
    shown, columns = frame_of(asked, len(rows))
    return found | {
        "on": f"{len(rows):,} {on}",
        "pictures": {
            "made": as_url(png(sheet(made[shown], columns))),
            "nearest": as_url(png(sheet(copies.pairs, _PAIRS))),
            "film": [{"step": step, "sheet": as_url(data)} for step, data in _spread(film())],
        },
        "timing": timing(trained, prepared.table, rows[:256]),
    }


def evaluate_other_pictures(trained: Trained, kept: Kept, table: Table) -> dict[str, Any]:
    """The evaluation of a trained network beside other pictures: those of `table`, whose cells are cast already.

    Args:
        trained: a network that makes pictures.
        kept: the eye of its run.
        table: with the column of pictures, and that of classes where the network was taught some.

    Raises:
        DataError: if fewer than two of them can be used.
    """
    ((name, part),) = trained.plan.outputs.items()
    random = numpy_generator(trained.plan.training.seed, "evaluate pictures")
    trained.problems = {}
    some = np.sort(random.permutation(len(table))[:MOST])
    asked_by = [each.columns[0] for each in trained.plan.inputs.values() if each.kind == "category"]
    pieces, names = [], []
    for chunk in table.chunks(some, [*part.columns, *asked_by], 256):
        block = part.prepare(chunk, trained.facts[f"outputs.{name}"])
        trained.problems |= {int(chunk.rows[entry]): why for entry, why in block.problems.items()}
        usable = np.setdiff1d(np.arange(len(chunk)), np.fromiter(block.problems, dtype=np.int64))
        pieces.append(np.asarray(block.values)[usable])
        names += [str(value) for column in asked_by for value in chunk.frame[column][usable].to_list()]
    real = np.concatenate(pieces)
    known = np.ones(len(real), dtype=bool)
    if asked_by:
        known = kept.eye.numbers(names) >= 0
        names = [each for each, knows in zip(names, known, strict=True) if knows]
        real = real[known]
    if len(real) < 2:
        raise DataError(f"{table.name}: fewer than two pictures are left that can be read and are of a known class.")
    asked = kept.eye.numbers(names) if asked_by else None
    made = make_like(trained, names, len(real))
    learned = alike(np.arange(len(kept.learned.features)), kept.asked, len(real), asked, random)
    floor = Seen(kept.learned.features[learned], None), None
    found = _compared(trained.plan, kept.eye, made, real, asked, floor, random, None)
    strange = f"; {int((~known).sum()):,} of classes that were not learned are left out" if not known.all() else ""
    return on_others(found | {"on": f"{len(real):,} pictures that were given{strange}"})


def _compared(plan: Plan, eye: Eye, made: np.ndarray, real: np.ndarray, asked: np.ndarray | None,
              floor: tuple[Seen, np.ndarray | None], random: np.random.Generator,
              copied: float | None) -> dict[str, Any]:  # fmt: skip
    """Figures of made pictures beside real ones, of training pictures, the mean picture and noise, and the verdict."""
    (part,) = plan.outputs.values()
    mean = np.broadcast_to(real.mean(0).round().astype(np.uint8), made.shape)
    noise = random.integers(0, 256, made.shape, dtype=np.uint8)
    seen = eye.look(real)
    sets = {"": (eye.look(made), asked), REAL: floor, MEAN: (eye.look(mean), asked), NOISE: (eye.look(noise), asked)}
    figures = {who: _figures(some, seen, wanted, random) for who, (some, wanted) in sets.items()}
    ours = figures.pop("")
    return {
        "rows": len(real),
        "decides": f"{part.column}.frechet",
        "deciding": {part.column: "frechet"},
        "metrics": {part.column: ours},
        "baselines": {who: {part.column: theirs} for who, theirs in figures.items()},
        "verdict": _verdict(ours, figures, copied),
        "notes": [f"Figures of sets are taken of {eye.name}{_skill(eye, seen, asked)}. They compare trainings on this "
                  "data and are not comparable with published ones."],
    }  # fmt: skip


def alike(rows: np.ndarray, classes: np.ndarray | None, count: int, asked: np.ndarray | None,
          random: np.random.Generator) -> np.ndarray:  # fmt: skip
    """As many of some rows as are asked for, with as many of each class, as far as there are.

    Args:
        rows: to choose from.
        classes: (rows,) the number of each one's class.
        count: how many, where there are no classes.
        asked: the classes of those that are wanted.
        random: which.
    """
    order = random.permutation(len(rows))
    if asked is None or classes is None:
        return np.sort(rows[order[:count]])
    chosen = [order[classes[order] == one][: int((asked == one).sum())] for one in np.unique(asked)]
    return np.sort(rows[np.concatenate(chosen)])


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
    share, distances, which = copied(_small(made), _small(real), _small(learned))
    shown = np.argsort(distances, kind="stable")[:_PAIRS]
    return _Copies(share, np.concatenate([made[shown], learned[which[shown]]]))


def _small(pictures: np.ndarray) -> np.ndarray:
    """(pictures, numbers) brightness of every pixel, of every second or fourth where there are many."""
    step = max(max(pictures.shape[2:]) // 32, 1)
    return pictures[:, :, ::step, ::step].reshape(len(pictures), -1).astype(np.float32) / 255


def _spread(film: Mapping[int, bytes]) -> list[tuple[int, bytes]]:
    """A few frames from the first to the last."""
    steps = sorted(film)
    chosen = {steps[round(at)] for at in np.linspace(0, len(steps) - 1, min(_FRAMES, len(steps)))} if steps else set()
    return [(step, film[step]) for step in sorted(chosen)]


def _verdict(ours: Figures, others: Mapping[str, Figures], copied: float | None) -> str:
    """How far the pictures are from real ones, whether they show what was asked for, what is missing or copied.

    Args:
        ours: figures of made pictures.
        others: those of what they are compared with.
        copied: the share that is nearer to a training picture than real ones are; None where nobody looked.
    """
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
    if copied is None:
        return said
    if copied > _NEAR:
        said += f" {copied:.0%} are nearer to a training picture than real ones are: training pictures are copied."
    else:
        said += " No sign that training pictures are copied."
    return said
