"""Pictures made by a trained network: from noise, of the classes that are asked for."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import torch
from torch import Tensor

from lamina.data import Batch, Chunk, Values
from lamina.ground import PlanError, listing, nearest, torch_generator
from lamina.inputs import CategoryInput
from lamina.network import to_values
from lamina.outputs import Answers
from lamina.run.trained import Trained


def classes_of(trained: Trained) -> list[str]:
    """What pictures can be asked for, in alphabetical order; nothing for a network that was taught no classes."""
    known = [trained.facts[f"inputs.{name}"]["values"] for name, part in trained.plan.inputs.items()
             if isinstance(part, CategoryInput)]  # fmt: skip
    return sorted(known[0][0]) if known else []  # type: ignore[index]


def make(trained: Trained, count: int, asked: str | None = None, seed: int = 0,
         between: Sequence[int] | None = None) -> tuple[np.ndarray, list[str]]:  # fmt: skip
    """Pictures that nobody has seen before.

    Args:
        trained: a network that makes pictures.
        count: how many.
        asked: the class of all; None goes through all classes in turn.
        seed: another seed, other pictures; the first pictures of a longer row are those of a shorter one.
        between: the numbers (from 0) of two pictures of this seed, to go from one to the other in `count` steps; the
            class is that of the first where none is asked for.

    Returns:
        (count, channels, height, width) of uint8, and the class of each; [] without classes.

    Raises:
        PlanError: for a class that was not learned, or numbers that make no sense.
    """
    classes = classes_of(trained)
    if asked is not None and asked not in classes:
        raise PlanError(
            f"There is no class {asked!r}.{nearest(asked, classes)} "
            + (
                f"Known: {listing(classes, 30)}."
                if classes
                else "This network was trained on pictures without classes."
            )
        )
    if count < 1:
        raise PlanError(f"count: {count} does not do: at least 1 picture is made.")
    names = [asked or classes[number % len(classes)] for number in range(count)] if classes else []
    (noise_name,) = (name for name, part in trained.plan.inputs.items() if part.kind == "noise")
    width = trained.plan.inputs[noise_name].size  # type: ignore[attr-defined]
    if between is None:
        noise = _noise(count, width, seed)
    else:
        first, last = between
        if min(first, last) < 0:
            raise PlanError(f"between: pictures are counted from 0, found {min(first, last)}.")
        ends = _noise(max(first, last) + 1, width, seed)
        noise = _arc(ends[first], ends[last], count)
        names = [asked or classes[first % len(classes)]] * count if classes else []
    return _made(trained, noise_name, noise, names), names


def make_like(trained: Trained, names: Sequence[str], count: int, seed: int = 0) -> np.ndarray:
    """(count, channels, height, width) of uint8: pictures of these classes, one each; [] for a network without any."""
    (noise_name,) = (name for name, part in trained.plan.inputs.items() if part.kind == "noise")
    width = trained.plan.inputs[noise_name].size  # type: ignore[attr-defined]
    return _made(trained, noise_name, _noise(count, width, seed), names)


def make_rows(trained: Trained, count: int, seed: int = 0) -> Answers:
    """Rows of a table that nobody has seen before: their cells by column, and as a critic sees them.

    Args:
        trained: a network that makes rows.
        count: how many.
        seed: another seed, other rows; the first rows of many are those of few.

    Raises:
        PlanError: if none are asked for.
    """
    if count < 1:
        raise PlanError(f"count: {count} does not do: at least 1 row is made.")
    ((name, part),) = trained.plan.inputs.items()
    noise = _noise(count, part.size, seed).to(trained.device)  # type: ignore[attr-defined]
    (answers,) = trained.decode(trained.raw(Batch({name: noise}, {}, torch.arange(count)))).values()
    return answers


def _noise(count: int, width: int, seed: int) -> Tensor:
    """(count, width), each row by its own number: the same however many are asked for."""
    return torch.stack([torch.randn(width, generator=torch_generator(seed, "make", number)) for number in range(count)])


def _arc(first: Tensor, last: Tensor, count: int) -> Tensor:
    """(count, width) noise on the way from one row to another, no nearer to the middle than either (Shoemake 1985)."""
    shares = torch.linspace(0, 1, count)[:, None]
    turn = torch.acos(torch.clamp(first @ last / (first.norm() * last.norm()), -1, 1))
    if turn < 1e-3:
        return torch.lerp(first.expand(count, -1), last.expand(count, -1), shares)
    return (torch.sin((1 - shares) * turn) * first + torch.sin(shares * turn) * last) / torch.sin(turn)


def _made(trained: Trained, noise_name: str, noise: Tensor, names: Sequence[str]) -> np.ndarray:
    inputs: dict[str, Values] = {noise_name: noise.to(trained.device)}
    for name, part in trained.plan.inputs.items():
        if isinstance(part, CategoryInput):
            cells = Chunk(np.arange(len(names)), pl.DataFrame({part.columns[0]: list(names)}), _nothing_to_open)
            inputs[name] = to_values(part.prepare(cells, trained.facts[f"inputs.{name}"]), trained.device)
    batch = Batch(inputs, {}, torch.arange(len(noise)))
    ((_, answers),) = trained.decode(trained.raw(batch)).items()
    return answers.scores


def _nothing_to_open(column: str, reference: str) -> bytes:
    raise AssertionError("classes refer to no files")
