"""The size dial: width and depth of the default networks, by written rules.

Medium is what was measured to serve best in a few minutes on two cores; small is about a quarter of its cost, large
about four times (docs/lab-notes.md).
"""

from typing import Any


def residual_size(size: str, rows: int) -> dict[str, Any]:
    """Settings of the dense network for tables."""
    width, members = {"small": (64, 8), "medium": (128, 8), "large": (256, 16)}[size]
    return {"name": "residual", "width": width, "members": members}


def convnet_size(size: str, rows: int, side: int) -> dict[str, Any]:
    """Settings of the convolutional network for pictures."""
    return {"name": "convnet", "width": {"small": 24, "medium": 32, "large": 64}[size]}


def mixer_size(size: str, rows: int) -> dict[str, Any]:
    """Settings of the layers that join several inputs."""
    return {"name": "fusion", "width": {"small": 64, "medium": 128, "large": 256}[size]}
