"""Dropout that draws cheaply on a processor (Srivastava et al. 2014)."""

import torch
from torch import Tensor, nn

_STEPS = 1 << 16
"""What the share left out is a multiple of."""


class Dropout(nn.Dropout):
    """`nn.Dropout` whose chances are 16 bits each, four to a drawn number, where a processor computes.

    PyTorch draws a whole number for each value there, which was a twelfth of a transformer's step.
    """

    def forward(self, values: Tensor) -> Tensor:
        """The same shape; in training some numbers zero and the others larger."""
        if not self.training or self.p == 0:
            return values
        if values.device.type != "cpu":
            return super().forward(values)
        left_out = min(max(round(self.p * _STEPS), 1), _STEPS - 1)
        drawn = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
        chances = drawn.view(torch.int16)[: values.numel()].view(values.shape)
        kept = (chances >= left_out - _STEPS // 2).to(values.dtype).mul_(_STEPS / (_STEPS - left_out))
        return values * kept
