"""3x3 convolutions with a quarter of the multiplications.

Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks": F(4x4, 3x3). A picture is cut into overlapping
tiles of 6x6; after a fixed transform of tiles and filters, sixteen answers of a tile take 36 multiplications for each
pair of channels instead of 144. The rounding errors are some five times those of adding up directly, in float32 still
a few millionths (docs/lab-notes.md, The machine 42).
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

_FEWEST_CHANNELS = 128
"""Of inputs and answers alike: transforming tiles of fewer takes longer than what it saves."""
_FEWEST_TILES = 32
"""Of a batch: transforming the filters, which is done once for it, takes what fewer tiles would save."""
_PIECE = 8 * 2**20
"""Bytes of transformed tiles at a time: they stay in the processor's cache, and little memory is taken."""
_TILE, _STRIDE = 6, 4
"""Sides of a tile, and of the answers that it gives."""


def _squared(rows: list[list[float]]) -> Tensor:
    """What a transform along one side is along both, as a matrix that acts on flattened squares."""
    one = torch.tensor(rows, dtype=torch.float64)
    return torch.kron(one, one).float()


_OF_TILES = _squared([
    [4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1],
])  # fmt: skip
_OF_FILTERS = _squared([
    [1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1],
])  # fmt: skip
_OF_ANSWERS = _squared([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])


def has_wide_filters(network: nn.Module) -> bool:
    """Whether a layer of it is worth computing this way."""
    return any(_is_wide(layer) for layer in network.modules())


@contextlib.contextmanager
def by_winograd(*networks: nn.Module) -> Iterator[None]:
    """Compute wide 3x3 convolutions of networks this way while the block runs; their weights stay where they are.

    Their gradients cannot be differentiated once more: whoever asks for that gets PyTorch's RuntimeError.
    """
    layers = [layer for network in networks for layer in network.modules() if _is_wide(layer)]
    for layer in layers:
        layer.__class__ = _WinogradConv2d
    try:
        yield
    finally:
        for layer in layers:
            layer.__class__ = nn.Conv2d


def _is_wide(layer: nn.Module) -> bool:
    return (
        type(layer) is nn.Conv2d
        and (layer.kernel_size, layer.stride, layer.dilation, layer.groups) == ((3, 3), (1, 1), (1, 1), 1)
        and min(layer.in_channels, layer.out_channels) >= _FEWEST_CHANNELS
        and layer.padding_mode == "zeros"
    )


class _WinogradConv2d(nn.Conv2d):
    """Takes (batch, channels, height, width) of float32 on a processor; anything else is added up directly."""

    def forward(self, input: Tensor) -> Tensor:
        height, width = (
            {"same": (1, 1), "valid": (0, 0)}[self.padding] if isinstance(self.padding, str) else self.padding
        )
        plain = input.dtype == self.weight.dtype == torch.float32 and input.device.type == "cpu"
        if not plain or torch.is_autocast_enabled("cpu") or not _pays(input, height, width):
            return super().forward(input)
        answer: Tensor = _Convolution.apply(input, self.weight, height, width)  # type: ignore[no-untyped-call]
        return answer if self.bias is None else answer + self.bias[:, None, None]


def _pays(pictures: Tensor, height: int, width: int) -> bool:
    """Whether there are tiles enough for what transforming the filters takes, and at most half of them overhangs."""
    if pictures.dim() != 4:
        return False
    rows, columns = pictures.shape[2] + 2 * height - 2, pictures.shape[3] + 2 * width - 2
    if min(rows, columns) < 1:
        return False  # too small a picture, of which the usual way says so
    tiles = -(-rows // _STRIDE) * -(-columns // _STRIDE)
    return len(pictures) * tiles >= _FEWEST_TILES and 2 * rows * columns >= tiles * _STRIDE**2


class _Grid:
    """How pictures are cut into tiles.

    Within this class and what uses it pictures are (batch, height, width, channels): transforms leave channels alone.
    """

    def __init__(self, given: Tensor, filters: int, padding: tuple[int, int]):
        """For pictures `given`, so many filters and rows and columns of zeros around."""
        self.batch, self.height, self.width, self.channels = given.shape
        self.filters, self.padding = filters, padding
        self.answers = self.height + 2 * padding[0] - 2, self.width + 2 * padding[1] - 2
        self.down, self.across = (-(-side // _STRIDE) for side in self.answers)

    def pieces(self) -> Iterator[slice]:
        """Rows of the batch that are worked through at a time."""
        each = 4 * _TILE**2 * self.down * self.across * max(self.channels, self.filters)
        count = -(-self.batch // max(_PIECE // each, 1))
        for number in range(count):
            yield slice(self.batch * number // count, self.batch * (number + 1) // count)

    def tiles(self, given: Tensor) -> Tensor:
        """Transformed tiles of some pictures, (36, tiles, channels)."""
        rows, columns = self._inside()
        padded = given.new_zeros(len(given), self.down * _STRIDE + 2, self.across * _STRIDE + 2, self.channels)
        padded[:, rows, columns] = given
        each, row, column, channel = padded.stride()
        cut = padded.as_strided(
            (_TILE, _TILE, len(given), self.down, self.across, self.channels),
            (row, column, each, _STRIDE * row, _STRIDE * column, channel),
        )
        return _OF_TILES.mm(cut.reshape(_TILE**2, -1)).view(_TILE**2, -1, self.channels)

    def tiles_back(self, gradient: Tensor) -> Tensor:
        """The gradient by some pictures, from that by their transformed tiles: where tiles overlap they add up."""
        cut = _OF_TILES.t().mm(gradient.view(_TILE**2, -1))
        cut = cut.view(_TILE, _TILE, -1, self.down, self.across, self.channels).permute(2, 3, 0, 4, 1, 5)
        found = cut.new_zeros(len(cut), self.down + 1, _STRIDE, self.across + 1, _STRIDE, self.channels)
        for down, rows in enumerate((slice(0, _STRIDE), slice(_STRIDE, _TILE))):
            for across, columns in enumerate((slice(0, _STRIDE), slice(_STRIDE, _TILE))):
                place = found[:, down : down + self.down, : rows.stop - rows.start,
                              across : across + self.across, : columns.stop - columns.start]  # fmt: skip
                place += cut[:, :, rows, :, columns]
        rows, columns = self._inside()
        whole = found.view(len(cut), (self.down + 1) * _STRIDE, (self.across + 1) * _STRIDE, self.channels)
        return whole[:, rows, columns]

    def answers_in(self, place: Tensor, products: Tensor) -> None:
        """Leave the answers of some pictures in their place, from products of their tiles with filters.

        Args:
            place: (batch, height, width, filters), up to the border of the last tiles.
            products: (36, tiles, filters)
        """
        found = _OF_ANSWERS.mm(products.view(_TILE**2, -1))
        cut = found.view(_STRIDE, _STRIDE, -1, self.down, self.across, self.filters)
        place.view(-1, self.down, _STRIDE, self.across, _STRIDE, self.filters).copy_(cut.permute(2, 3, 0, 4, 1, 5))

    def answer_back(self, gradient: Tensor) -> Tensor:
        """The gradient by products, (36, tiles, filters), from that by answers."""
        more = self.down * _STRIDE - self.answers[0], self.across * _STRIDE - self.answers[1]
        if any(more):
            gradient = functional.pad(gradient, (0, 0, 0, more[1], 0, more[0]))
        cut = gradient.reshape(-1, self.down, _STRIDE, self.across, _STRIDE, self.filters).permute(2, 4, 0, 1, 3, 5)
        return _OF_ANSWERS.t().mm(cut.reshape(_STRIDE**2, -1)).view(_TILE**2, -1, self.filters)

    def _inside(self) -> tuple[slice, slice]:
        """Where a picture lies among the zeros around it."""
        high, wide = self.padding
        return slice(high, high + self.height), slice(wide, wide + self.width)


def _transformed(weight: Tensor) -> Tensor:
    """(36, filters, channels) of (filters, channels, 3, 3)."""
    filters, channels = weight.shape[:2]
    return _OF_FILTERS.mm(weight.permute(2, 3, 0, 1).reshape(9, -1)).view(_TILE**2, filters, channels)


class _Convolution(torch.autograd.Function):
    """The convolution and its way back. Nothing but what it was given is kept: transforming again is quickly done."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, *padding: int) -> Tensor:
        given, by = input.permute(0, 2, 3, 1), _transformed(weight).transpose(1, 2)
        grid = _Grid(given, len(weight), padding)  # type: ignore[arg-type]
        answers = input.new_empty(grid.batch, grid.down * _STRIDE, grid.across * _STRIDE, grid.filters)
        for piece in grid.pieces():
            grid.answers_in(answers[piece], torch.bmm(grid.tiles(given[piece]), by))
        ctx.save_for_backward(input, weight)
        ctx.grid = grid
        height, width = grid.answers
        return answers[:, :height, :width].contiguous().permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        input, weight = ctx.saved_tensors
        grid: _Grid = ctx.grid
        wants_input, wants_weight, *others = ctx.needs_input_grad
        given, gradient = input.permute(0, 2, 3, 1), gradient.permute(0, 2, 3, 1)
        by = _transformed(weight) if wants_input else weight
        by_input = torch.empty_like(given, memory_format=torch.contiguous_format) if wants_input else None
        by_filters = weight.new_zeros(_TILE**2, *weight.shape[:2]) if wants_weight else None
        for piece in grid.pieces():
            products = grid.answer_back(gradient[piece])
            if by_filters is not None:
                by_filters.baddbmm_(products.transpose(1, 2), grid.tiles(given[piece]))
            if by_input is not None:
                by_input[piece] = grid.tiles_back(torch.bmm(products, by))
        by_weight = None
        if by_filters is not None:
            flat = _OF_FILTERS.t().mm(by_filters.view(_TILE**2, -1))
            by_weight = flat.view(3, 3, *weight.shape[:2]).permute(2, 3, 0, 1)
        return None if by_input is None else by_input.permute(0, 3, 1, 2), by_weight, *(None for _ in others)
