"""Judging a network that enlarges while it learns: on whole photos, or what fits of them."""

import numpy as np
from PIL import Image

from lamina.data import Ragged, photos_of
from lamina.ground import PlanError
from lamina.metrics import Metric, photo_metrics, psnr, ssim
from lamina.network import Network, to_values
from lamina.run.enlarge import enlarged, scale_of
from lamina.run.prepared import Prepared

JUDGED, SIDE = 20, 96
"""Photos of a judgement, at most; and the side of what is looked at of each, in pixels of the small photo."""


def measured(made: np.ndarray, real: np.ndarray, border: int) -> tuple[float, float]:
    """PSNR and SSIM of brightness (height, width) of uint8, without so many pixels at each border, as is the custom."""
    if min(real.shape) > 2 * border:
        made, real = made[border:-border, border:-border], real[border:-border, border:-border]
    return psnr(made[None], real[None]), ssim(made, real)


def plainly(small: np.ndarray, scale: int) -> np.ndarray:
    """Brightness (height, width) of uint8 enlarged by bicubic interpolation."""
    image = Image.fromarray(small)
    return np.asarray(image.resize((small.shape[1] * scale, small.shape[0] * scale), Image.Resampling.BICUBIC))


def photo_at(prepared: Prepared, path: str, row: int) -> np.ndarray:
    """One photo of a block, (height, width) of uint8."""
    values = to_values(prepared.blocks[path].take(np.array([row])))
    assert isinstance(values, Ragged)
    return photos_of(values)[0].numpy()


class PhotoJudge:
    """PSNR on the rows to choose by."""

    def __init__(self, prepared: Prepared):
        """Judge on `prepared.judged`."""
        self._plan = prepared.plan
        ((name, part),), (given,) = prepared.plan.outputs.items(), prepared.plan.inputs
        self._key, self._scale = f"{part.column}.psnr", scale_of(prepared.plan)
        self._pairs = []
        for row in prepared.judged[:JUDGED]:
            small, real = (photo_at(prepared, path, row) for path in (f"inputs.{given}", f"outputs.{name}"))
            if (small.shape[0] * self._scale, small.shape[1] * self._scale) != real.shape:
                raise PlanError(
                    f"{prepared.table.where(int(row))}: the small photo is {small.shape[0]} x {small.shape[1]} and the "
                    f"large one {real.shape[0]} x {real.shape[1]}, not {self._scale} times as large. Give pairs that "
                    "belong together, and inputs.photo.scale as outputs.large.scale."
                )
            small = small[:SIDE, :SIDE]
            self._pairs.append((small, real[: len(small) * self._scale, : small.shape[1] * self._scale]))

    @property
    def decides(self) -> Metric:
        """What the result is judged by."""
        metric = photo_metrics()["psnr"]
        return Metric(self._key, metric.measure, metric.larger_is_better, metric.label)

    @property
    def chooses(self) -> Metric:
        """What picks the best weights: the same."""
        return self.decides

    def __call__(self, network: Network, step: int) -> dict[str, float]:
        """The figure after a step."""
        found = [measured(enlarged(network, self._plan, small), real, self._scale)[0] for small, real in self._pairs]
        return {self._key: float(np.mean(found))}
