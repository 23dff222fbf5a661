"""Long sequences in windows, for layers whose tokens look at each other: nothing is cut off."""

import torch
from torch import Tensor
from torch.nn import functional


def in_windows(values: Tensor, lengths: Tensor | None, most: int) -> tuple[Tensor, Tensor | None]:
    """Windows of sequences as rows of their own.

    Args:
        values: (batch, tokens, width).
        lengths: (batch,) true tokens; None if all are.
        most: tokens of a window.

    Returns:
        (windows, tokens, width), those of a row one after the other, and (windows, 1, 1, tokens) which of their tokens
        are true; None if all are.
    """
    batch, count, width = values.shape
    size = min(most, count)
    windows = -(-count // size)
    missing = windows * size - count
    if missing:
        values = functional.pad(values, (0, 0, 0, missing))
    values = values.reshape(batch * windows, size, width)
    if lengths is None and not missing:
        return values, None
    ends = torch.full((batch,), count, device=values.device) if lengths is None else lengths
    places = torch.arange(windows * size, device=values.device)
    # A window of nothing but padding looks at its first token: attention to nothing at all has no value.
    true = (places < ends[:, None]) | (places % size == 0)
    return values, true.reshape(batch * windows, 1, 1, size)
