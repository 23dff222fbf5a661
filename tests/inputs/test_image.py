"""Pictures: one size, one scale, and variations that keep their meaning."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from torch import Tensor

from lamina.data import Chunk
from lamina.ground import DataError, PlanError, Shape, from_plain, to_plain, torch_generator
from lamina.inputs.image import ImageInput, ImageLayer


def colours(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def greys(height: int, width: int, seed: int = 0) -> np.ndarray:
    return colours(height, width, seed)[:, :, :1]


def png(picture: np.ndarray) -> bytes:
    data = io.BytesIO()
    Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture).save(data, "PNG")
    return data.getvalue()


def chunk(cells: Sequence[np.ndarray | bytes | None], first: int = 0) -> Chunk:
    """Rows whose cells are these pictures; None is a gap."""
    names = [None if cell is None else f"{first + row}.png" for row, cell in enumerate(cells)]
    files = dict(zip(names, cells, strict=True))
    rows = np.arange(first, first + len(cells))
    return Chunk(rows, pl.DataFrame({"photo": pl.Series(names, dtype=pl.String)}), lambda column, name: files[name])


def image_input(**settings: object) -> ImageInput:
    return ImageInput(columns=("photo",), **settings)  # type: ignore[arg-type]


def layer(cells: Sequence[np.ndarray], **settings: object) -> ImageLayer:
    plan = image_input(**settings)
    return plan.build(plan.fit([chunk(cells)]))


def only(**settings: object) -> ImageInput:
    """An input that varies pictures in nothing but these ways."""
    return image_input(
        **{"shift": 0, "rotate": 0, "zoom": 0, "shear": 0, "jitter": 0, "erase": 0, "strength": 1, **settings}
    )


def varied(pictures: Tensor, seed: int = 0, **settings: object) -> tuple[Tensor, Mapping[str, Tensor]]:
    plan = only(**settings)
    facts = plan.fit([chunk([pictures[0].permute(1, 2, 0).numpy()])])
    values, geometry = plan.build(facts).augment(pictures, torch_generator(seed))
    assert isinstance(values, Tensor)
    return values, geometry


@pytest.mark.parametrize(
    "settings, problem",
    [
        ({}, None),
        ({"side": 4, "mirror": True, "strength": 0, "erase": 0.5}, None),
        ({"side": 3}, r"photo.side: 3 does not do: it is 4 pixels or more"),
        ({"shift": 1.0}, r"photo.shift: 1 does not do: it is from 0 to below 1"),
        ({"erase": -0.1}, r"photo.erase: -0.1 does not do"),
        ({"rotate": -1}, r"photo.rotate: -1 does not do: it is 0, which leaves it out, or more"),
        ({"strength": -2}, r"photo.strength: -2 does not do"),
        ({"columns": ("a", "b")}, "reads one column, but is given 2"),
    ],
)
def test_settings(settings: dict[str, object], problem: str | None) -> None:
    with pytest.raises(PlanError, match=problem) if problem else nullcontext():
        plan = ImageInput(**{"columns": ("photo",), **settings})  # type: ignore[arg-type]
        assert from_plain(ImageInput, to_plain(plan), "inputs.photo") == plan


@pytest.mark.parametrize(
    "shapes, side, size",
    [
        ([(28, 28)], None, (28, 28)),
        ([(35, 35), (35, 35), (90, 90)], None, (35, 35)),
        ([(80, 160)], None, (32, 64)),
        ([(80, 160)], 40, (20, 40)),
        ([(160, 80)], 40, (40, 20)),
        ([(10, 20), (20, 10), (15, 15)], None, (20, 20)),
        ([(2, 300)], 64, (1, 64)),
    ],
)
def test_the_size_is_that_of_a_typical_picture(
    shapes: list[tuple[int, int]], side: int | None, size: tuple[int, int]
) -> None:
    facts = image_input(side=side).fit([chunk([greys(*shape) for shape in shapes])])
    assert (facts["height"], facts["width"]) == size


@pytest.mark.parametrize(
    "cells, colour, channels",
    [
        ([greys(8, 8), greys(8, 8, 1)], "auto", 1),
        ([greys(8, 8), colours(8, 8)], "auto", 3),
        ([greys(8, 8).repeat(3, 2)], "auto", 1),
        ([greys(8, 8)], "colour", 3),
        ([colours(8, 8)], "grey", 1),
    ],
)
def test_channels(cells: list[np.ndarray], colour: str, channels: int) -> None:
    plan = image_input(colour=colour)
    facts = plan.fit([chunk(cells)])
    block = plan.prepare(chunk([greys(8, 8), colours(8, 8)]), facts)
    assert block.values.shape == (2, channels, 8, 8)
    if channels == 3:
        assert (block.values[1] == colours(8, 8).transpose(2, 0, 1)).all()
        assert (block.values[0] == greys(8, 8).transpose(2, 0, 1)).all()
    else:
        assert (block.values[0, 0] == greys(8, 8)[:, :, 0]).all()


def test_facts_do_not_depend_on_how_rows_are_cut_into_chunks() -> None:
    cells = [colours(6, 6, seed) for seed in range(40)]
    whole = image_input().fit([chunk(cells)])
    parts = image_input().fit([chunk(cells[30:], 30), chunk(cells[:7]), chunk(cells[7:30], 7)])
    assert whole == parts
    assert whole["rows"] == 40


def test_a_few_of_many_pictures_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamina.data.album.SAMPLED", 5)
    opened = []

    def open_picture(column: str, name: str) -> np.ndarray:
        opened.append(name)
        return greys(4, 4, int(name))

    frame = pl.DataFrame({"photo": [str(row) for row in range(200)]})
    facts = image_input().fit([Chunk(np.arange(200), frame, open_picture)])
    assert facts["rows"] == 200
    assert len(set(opened)) == 5
    assert max(map(int, opened)) - min(map(int, opened)) > 20  # from all over the rows


def test_training_pictures_come_out_with_mean_0_and_deviation_1() -> None:
    cells = [colours(8, 8, seed) // (seed + 1) for seed in range(6)]
    plan = image_input()
    facts = plan.fit([chunk(cells)])
    features = plan.build(facts)(torch.from_numpy(plan.prepare(chunk(cells), facts).values))
    assert features.form == "grid"
    assert features.values.shape == (6, 3, 8, 8)
    torch.testing.assert_close(features.values.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(features.values.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-4, rtol=0)


def test_one_plain_colour_is_no_division_by_zero() -> None:
    plain = np.full((5, 5, 1), 7, dtype=np.uint8)
    assert not layer([plain])(torch.full((2, 1, 5, 5), 7, dtype=torch.uint8)).values.any()


def test_what_cannot_be_read_is_named_and_the_rest_is_kept() -> None:
    good = png(colours(8, 8))
    plan = image_input()
    facts = plan.fit([chunk([good, b"no picture", None])])
    assert facts["rows"] == 2
    block = plan.prepare(chunk([None, good, b"no picture", good[:80], b""]), facts)
    assert sorted(block.problems) == [0, 2, 3, 4]
    assert "photo is a gap" in block.problems[0]
    assert "2.png is no picture that can be read" in block.problems[2]
    assert "3.png is damaged" in block.problems[3]
    assert not block.values[[0, 2, 3, 4]].any()
    assert (block.values[1] == colours(8, 8).transpose(2, 0, 1)).all()


@pytest.mark.parametrize(
    "cells, problem",
    [
        ([None, None], "holds no pictures, only gaps"),
        ([b"junk", b"more"], r"'photo': none of the pictures looked at can be read. The first: \d.png is no picture"),
        ([], "holds no pictures"),
    ],
)
def test_without_pictures_there_is_nothing_to_learn(cells: list[bytes | None], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        image_input().fit([chunk(cells)])


def test_what_is_stored_hangs_on_the_size_alone() -> None:
    facts = image_input().fit([chunk([colours(8, 8)])])
    same = image_input(mirror=True, rotate=30).depends_on(facts | {"mean": [0, 0, 0]})
    assert image_input().depends_on(facts) == same
    assert image_input().depends_on(facts | {"width": 9}) != same


def test_shrinking_averages() -> None:
    stripes = np.zeros((64, 64, 1), dtype=np.uint8)
    stripes[:, ::2] = 200
    plan = image_input(side=8)
    values = plan.prepare(chunk([stripes]), plan.fit([chunk([stripes])])).values
    assert abs(values[0, 0, 1:-1, 1:-1].astype(int) - 100).max() <= 2


# Variations: each is compared with what it should do to a picture whose pixels say where they lie.


def test_without_amounts_pictures_stay_as_they_are() -> None:
    pictures = torch.from_numpy(np.stack([colours(6, 9, seed).transpose(2, 0, 1) for seed in range(4)]))
    values, geometry = varied(pictures)
    assert geometry == {}
    assert torch.equal(values, pictures.float())


def test_half_are_mirrored_left_to_right() -> None:
    pictures = torch.from_numpy(colours(6, 9).transpose(2, 0, 1)).repeat(64, 1, 1, 1)
    values, geometry = varied(pictures, mirror=True)
    mirrored = geometry["mirror"]
    assert mirrored.dtype == torch.bool
    assert 16 < mirrored.sum() < 48
    torch.testing.assert_close(values[mirrored], pictures[mirrored].flip(-1).float(), atol=0.01, rtol=0)
    torch.testing.assert_close(values[~mirrored], pictures[~mirrored].float(), atol=0.01, rtol=0)


def test_shifts_are_whole_pixels_and_reflect_at_the_border() -> None:
    pictures = torch.from_numpy(greys(8, 10).transpose(2, 0, 1)).repeat(50, 1, 1, 1)
    values, geometry = varied(pictures, shift=0.2)
    right, down = geometry["shift"].T
    assert (right.abs() <= 2).all() and (down.abs() <= 2).all()
    assert len(geometry["shift"].unique(dim=0)) > 10
    padded = np.pad(pictures[0, 0].numpy(), 2, mode="symmetric")
    for value, x, y in zip(values[:, 0], right.int().tolist(), down.int().tolist(), strict=True):
        expected = torch.from_numpy(padded[2 - y : 10 - y, 2 - x : 12 - x]).float()
        torch.testing.assert_close(value, expected, atol=0.01, rtol=0)


def spot(height: int, width: int, row: int, column: int) -> Tensor:
    picture = torch.zeros(1, 1, height, width)
    picture[0, 0, row - 1 : row + 2, column - 1 : column + 2] = 250
    return picture.to(torch.uint8)


def middle_of(picture: Tensor) -> tuple[float, float]:
    """(x, y) of the centre of brightness, from the middle of the picture, in pixels."""
    height, width = picture.shape
    total = picture.sum()
    x = (picture.sum(0) * (torch.arange(width) - (width - 1) / 2)).sum() / total
    y = (picture.sum(1) * (torch.arange(height) - (height - 1) / 2)).sum() / total
    return float(x), float(y)


@pytest.mark.parametrize(
    "settings",
    [
        {"rotate": 40},
        {"zoom": 0.3},
        {"shear": 0.4},
        {"rotate": 30, "zoom": 0.2, "shear": 0.2, "shift": 0.1, "mirror": True},
    ],
)
def test_the_reported_geometry_says_where_things_went(settings: dict[str, float]) -> None:
    picture = spot(61, 81, row=24, column=47)
    start = np.array(middle_of(picture[0, 0].float()))
    values, geometry = varied(picture.repeat(20, 1, 1, 1), **settings)
    for entry, value in enumerate(values[:, 0]):
        seen = {name: amount[entry].numpy() for name, amount in geometry.items()}
        point = start * [-1 if seen.get("mirror", False) else 1, 1] * seen.get("scale", 1)
        point += np.array([seen.get("shear", 0) * point[1], 0])
        angle = float(seen.get("rotate", 0))
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        np.testing.assert_allclose(middle_of(value), turn @ point + seen.get("shift", 0), atol=0.3)
    assert len(values.flatten(1).unique(dim=0)) > 5


def test_colours_change_but_not_the_order_of_brightness() -> None:
    pictures = torch.from_numpy(greys(6, 6).transpose(2, 0, 1)).repeat(30, 1, 1, 1)
    values, geometry = varied(pictures, jitter=0.3)
    assert geometry == {}
    order = pictures[0].flatten().argsort(stable=True)
    assert (values.flatten(1)[:, order].diff(dim=1) >= -1e-3).all()
    contrast = values.std((1, 2, 3)) / pictures.float().std((1, 2, 3))
    assert (contrast.log().abs() <= 0.3 + 1e-4).all()
    assert contrast.log().abs().max() > 0.15


def test_an_erased_square_has_the_mean_colour() -> None:
    pictures = torch.from_numpy(colours(20, 20).transpose(2, 0, 1)).repeat(40, 1, 1, 1)
    values, _ = varied(pictures, erase=0.5)
    changed = (values != pictures).any(1)
    assert changed.flatten(1).any(1).all()
    assert (changed.flatten(1).sum(1) <= 100).all()
    mean = pictures[0].float().mean((1, 2))
    torch.testing.assert_close(values.permute(0, 2, 3, 1)[changed], mean.expand(int(changed.sum()), 3))


def test_a_generator_decides_everything() -> None:
    pictures = torch.from_numpy(colours(12, 12).transpose(2, 0, 1)).repeat(4, 1, 1, 1)
    settings = {"shift": 0.1, "rotate": 10, "zoom": 0.1, "shear": 0.1, "jitter": 0.1, "erase": 0.2, "mirror": True}
    one, same, other = (varied(pictures, seed, **settings)[0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not torch.equal(one[0], one[1])


def test_few_pictures_are_varied_more() -> None:
    def most_moved(rows: int) -> float:
        plan = image_input()
        facts = plan.fit([chunk([greys(40, 40)])]) | {"rows": rows}
        _, geometry = plan.build(facts).augment(torch.zeros(200, 1, 40, 40, dtype=torch.uint8), torch_generator(0))
        return float(geometry["rotate"].abs().max())

    assert most_moved(100) > 1.5 * most_moved(50_000)


@pytest.mark.parametrize("make, channels", [(colours, 3), (greys, 1)])
def test_pictures_for_published_weights_are_normalised_by_imagenet_whatever_the_training_pictures_are(
    make: Callable[..., np.ndarray], channels: int
) -> None:
    cells = [make(8, 8, seed) // 4 for seed in range(4)]
    plan = image_input(normalise="imagenet")
    assert plan.depends_on(plan.fit([chunk(cells)])) == image_input().depends_on(plan.fit([chunk(cells)]))
    values = torch.from_numpy(np.stack(cells)).permute(0, 3, 1, 2)
    found = layer(cells, normalise="imagenet")(values).values
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    if channels == 1:
        mean, deviation = mean.mean(0, keepdim=True), deviation.mean(0, keepdim=True)
    expected = (values / 255 - mean[:, None, None]) / deviation[:, None, None]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_mean_and_deviation_are_saved_with_the_weights() -> None:
    cells = [colours(8, 8, seed) for seed in range(3)]
    first, second = layer(cells), layer([greys(8, 8)], colour="colour")
    assert first.shape == Shape("grid", 3, (8, 8))
    second.load_state_dict(first.state_dict())
    values = torch.from_numpy(np.stack(cells).transpose(0, 3, 1, 2))
    assert torch.equal(first(values).values, second(values).values)
