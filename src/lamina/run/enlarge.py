"""Photos enlarged by a trained network: of any size, a tile at a time, without seams."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
from torch import Tensor

from lamina.data import apart, brightness, resized, together, turned, turned_back
from lamina.hidden import EnlargerPlan
from lamina.network import Network, Plan
from lamina.outputs import PhotoAnswer, to_bytes
from lamina.run.trained import Trained

TILE = 128
"""Side of a tile in pixels of the small photo, without its surroundings: memory does not grow with the photo."""
_PLAIN_REACH = 2
"""Pixels that bicubic interpolation looks away; the last convolution looks one."""


def scale_of(plan: Plan) -> int:
    """How many times larger."""
    (part,) = plan.outputs.values()
    return int(part.scale)  # type: ignore[attr-defined]


def enlarge(trained: Trained, picture: np.ndarray) -> np.ndarray:
    """A photo several times as large.

    Args:
        trained: a network that enlarges.
        picture: (height, width, 1 or 3) of uint8.

    Returns:
        (scale * height, scale * width, 1 or 3) of uint8. The network makes the brightness; colours, in which people
        see little detail, are enlarged by bicubic interpolation.
    """
    assert isinstance(trained.network, Network)
    scale = scale_of(trained.plan)
    bright = enlarged(trained.network, trained.plan, brightness(picture))
    height, width = picture.shape[0] * scale, picture.shape[1] * scale
    plain = apart(resized(picture, height, width))
    plain[:, :, 0] = bright
    made = together(plain)
    return made if picture.shape[2] == 3 else made.mean(2, keepdims=True).round().astype(np.uint8)


@torch.no_grad()
def enlarged(network: Network, plan: Plan, small: np.ndarray, tile: int = TILE) -> np.ndarray:
    """Brightness (height, width) of uint8, several times as large.

    Each tile is enlarged with as much of its surroundings as changes it, so that tiles agree with the whole: only at
    the photo's own border is there nothing beyond. Once training is over it is looked at in eight ways, turned and
    mirrored, unless the input's `looks` says otherwise (Timofte et al. 2016, "Seven ways to improve example-based
    single image super resolution").
    """
    assert isinstance(plan.hidden, EnlargerPlan)
    network.eval()
    scale = scale_of(plan)
    (part,) = plan.inputs.values()
    turns = range(8) if network.looks_twice and part.looks else range(1)  # type: ignore[attr-defined]
    margin = plan.hidden.reach + 1 + _PLAIN_REACH
    photo = torch.from_numpy(np.ascontiguousarray(small))
    height, width = photo.shape
    made = torch.zeros(height * scale, width * scale, dtype=torch.uint8)
    for top, left in product(range(0, height, tile), range(0, width, tile)):
        bottom, right = min(top + tile, height), min(left + tile, width)
        above, before = max(top - margin, 0), max(left - margin, 0)
        piece = photo[above : bottom + margin, before : right + margin]
        done = _once(network, piece, turns)
        made[top * scale : bottom * scale, left * scale : right * scale] = done[
            (top - above) * scale : (bottom - above) * scale, (left - before) * scale : (right - before) * scale
        ]
    return made.numpy()


def _once(network: Network, piece: Tensor, turns: Sequence[int]) -> Tensor:
    """A tile with its surroundings, (height, width) of uint8, several times as large: the mean of these turns."""
    (name,), ((output, layer),) = network.inputs, network.outputs.items()
    assert isinstance(layer, PhotoAnswer)
    device = next(network.parameters()).device
    looks = [
        turned_back(network({name: turned(piece, turn)[None, None].to(device)})[output][0, 0, 0].float(), turn)
        for turn in turns
    ]
    return to_bytes(torch.stack(looks).mean(0)).cpu()
