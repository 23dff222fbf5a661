import numpy as np
import pytest
import torch
from PIL import Image

from lamina.data import (
    Ragged,
    apart,
    brightness,
    cut,
    each_turned,
    packed,
    photos_of,
    together,
    turned,
    turned_back,
    whole_steps,
)


def test_brightness_is_that_of_television() -> None:
    ends = np.array([[[0, 0, 0], [255, 255, 255]]], dtype=np.uint8)
    assert brightness(ends).tolist() == [[16, 235]]
    grey = np.array([[[0], [255]]], dtype=np.uint8)
    assert brightness(grey).tolist() == [[16, 235]]


def test_brightness_alone_is_the_first_part_of_all() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    whole = apart(picture)[:, :, 0]
    assert np.abs(brightness(picture) - whole).max() < 0.5001
    assert (brightness(picture) != whole.round()).mean() < 0.001  # halves may be rounded either way


def test_brightness_and_colours_agree_with_pillow_but_for_the_range() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(picture).convert("YCbCr")).astype(float)
    theirs = np.stack(
        [16 + theirs[..., 0] * 219 / 255, *(128 + (theirs[..., at] - 128) * 224 / 255 for at in (1, 2))], 2
    )
    assert np.abs(apart(picture) - theirs).max() < 1


def test_parts_come_together_again() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    assert np.array_equal(together(apart(picture)), picture)


def test_photos_of_any_size_are_packed_and_found_again() -> None:
    random = np.random.default_rng(0)
    photos = [random.integers(0, 256, size, dtype=np.uint8) for size in ((3, 4), (300, 2), (1, 1))]
    values, offsets = packed(photos)
    found = photos_of(Ragged(torch.from_numpy(values), torch.from_numpy(offsets)))
    assert all(np.array_equal(one.numpy(), other) for one, other in zip(found, photos, strict=True))


def test_squares_beyond_the_border_repeat_it() -> None:
    photo = torch.arange(6, dtype=torch.uint8).view(2, 3)
    (square,) = cut([photo], [1], [1], 3)
    assert square.tolist() == [[[4, 5, 5], [4, 5, 5], [4, 5, 5]]]


@pytest.mark.parametrize("scale", [2, 3])
def test_turning_small_and_large_squares_keeps_them_together(scale: int) -> None:
    small = torch.randint(0, 256, (8, 1, 5, 5))
    large = small.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    turn = torch.arange(8)
    made = each_turned(large, turn)
    assert torch.equal(made[:, :, ::scale, ::scale], each_turned(small, turn))
    assert len({tuple(each.flatten().tolist()) for each in each_turned(small[:1].expand(8, -1, -1, -1), turn)}) == 8


def test_what_makes_no_whole_step_is_left_out() -> None:
    assert whole_steps(np.zeros((10, 8, 3)), 3).shape == (9, 6, 3)


@pytest.mark.parametrize("turn", range(8))
def test_a_turn_is_undone_whatever_the_shape(turn: int) -> None:
    photo = torch.randint(0, 256, (2, 4, 7))
    there = turned(photo, turn)
    assert there.shape[1:] == ((7, 4) if turn & 1 else (4, 7)) and torch.equal(turned_back(there, turn), photo)
