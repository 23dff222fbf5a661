"""What a classical program sees in a picture: directions of edges, corners, and coarse colours.

Histograms of oriented gradients (Dalal and Triggs 2005), and the corner measure of Harris and Stephens (1988).
"""

import numpy as np

LARGEST_SIDE = 64
"""Larger pictures are averaged down: shapes survive, and a thousand pictures take a second."""
CELLS, COARSE_CELLS = 8, 4
"""Cells along each side for directions of edges; for corners and colours."""
DIRECTIONS = 9
"""Directions of edges told apart, over half a turn: dark on light counts as light on dark."""
AT_ONCE = 256
"""Pictures worked on together, to bound memory."""


def picture_features(pictures: np.ndarray) -> np.ndarray:
    """Hand-made features of a batch of pictures.

    Args:
        pictures: (rows, channels, height, width) uint8, all of one size.

    Returns:
        (rows, features) float32; their number depends on the pictures' size and channels only.
    """
    parts = [_features(pictures[start : start + AT_ONCE]) for start in range(0, len(pictures), AT_ONCE)]
    return np.concatenate(parts) if parts else _features(np.zeros((1, *pictures.shape[1:]), np.uint8))[:0]


def _features(pictures: np.ndarray) -> np.ndarray:
    small = _smaller(pictures.astype(np.float32) / 255)
    grey = small.mean(1)  # (rows, height, width)
    down, right = _slopes(grey)
    coarse_colours = _by_cell(small, COARSE_CELLS)
    parts = [_edge_directions(down, right), _corners(down, right), coarse_colours]
    return np.concatenate([part.reshape(len(pictures), -1) for part in parts], axis=1)


def _smaller(pictures: np.ndarray) -> np.ndarray:
    """(rows, channels, height, width) averaged over squares until no side exceeds the largest."""
    height, width = pictures.shape[-2:]
    step = -(-max(height, width) // LARGEST_SIDE)
    if step == 1:
        return pictures
    pictures = np.add.reduceat(pictures, np.arange(0, height, step), axis=2)
    pictures = np.add.reduceat(pictures, np.arange(0, width, step), axis=3)
    heights = np.diff(np.append(np.arange(0, height, step), height))
    widths = np.diff(np.append(np.arange(0, width, step), width))
    return pictures / np.outer(heights, widths).astype(np.float32)


def _slopes(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Central differences downwards and to the right: each (rows, height, width)."""
    padded = np.pad(grey, ((0, 0), (1, 1), (1, 1)), mode="edge")
    return padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1], padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]


def _by_cell(values: np.ndarray, cells: int) -> np.ndarray:
    """(..., height, width) -> (..., cells, cells) means; fewer cells where a side has fewer pixels."""
    for axis in (-2, -1):
        size = values.shape[axis]
        starts = np.arange(min(cells, size)) * size // min(cells, size)
        lengths = np.diff(np.append(starts, size)).astype(values.dtype)
        values = np.add.reduceat(values, starts, axis=axis) / (lengths[:, None] if axis == -2 else lengths)
    return values


def _edge_directions(down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(rows, cells, cells, directions) strength of edges in each direction, relative to the cell's neighbourhood."""
    rows, height, width = down.shape
    high, wide = min(CELLS, height), min(CELLS, width)
    cell = (np.arange(height) * high // height)[:, None] * wide + np.arange(width) * wide // width
    cell = cell + (np.arange(rows) * high * wide)[:, None, None]  # (rows, height, width), counted through all pictures
    strength = np.hypot(down, right)
    place = np.arctan2(down, right) % np.pi * (DIRECTIONS / np.pi)
    lower = place.astype(np.int64)
    upper_part = place - lower  # shared between the two nearest directions, or a small turn would be a jump
    sums = np.zeros(rows * high * wide * DIRECTIONS)
    for direction, share in ((lower, 1 - upper_part), (lower + 1, upper_part)):
        places = (cell * DIRECTIONS + direction % DIRECTIONS).ravel()
        sums += np.bincount(places, (strength * share).ravel(), len(sums))
    cells = sums.reshape(rows, high, wide, DIRECTIONS).astype(np.float32) * (high * wide / (height * width))
    energy = _blurred((cells**2).sum(-1))[..., None]
    return np.minimum(cells / np.sqrt(energy + 1e-5), 1.0)


def _corners(down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(rows, 2, cells, cells): how strongly each cell holds corners, and straight edges."""
    across, along, both = _blurred(right * right), _blurred(down * down), _blurred(down * right)
    response = across * along - both * both - 0.05 * (across + along) ** 2
    tamed = np.cbrt(response)  # of fourth powers of contrast
    return np.stack([_by_cell(tamed.clip(0), COARSE_CELLS), _by_cell((-tamed).clip(0), COARSE_CELLS)], axis=1)


def _blurred(values: np.ndarray) -> np.ndarray:
    """(rows, height, width): the mean of each place and its eight neighbours."""
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 9
