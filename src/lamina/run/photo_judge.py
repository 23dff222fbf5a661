"""Judging a network that enlarges while it learns: on whole photos, or what fits of them."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from lamina.data import Ragged, photos_of
from lamina.ground import DataError, PlanError
from lamina.metrics import PICTURE_SETS, Metric, frechet, photo_metrics, psnr, ssim
from lamina.network import Network, Plan, to_values
from lamina.run.enlarge import enlarged, scale_of
from lamina.run.eye import plain_eye
from lamina.run.judging import Judging
from lamina.run.prepared import Prepared

JUDGED, SIDE = 20, 96
"""Photos of a judgement, at most; and the side of what is looked at of each, in pixels of the small photo."""
SQUARE = 32
"""Side of the squares of large photos that are compared as sets, in pixels."""
FEWEST = 16
"""Squares that are enough for that."""


def measured(made: np.ndarray, real: np.ndarray, border: int) -> tuple[float, float]:
    """PSNR and SSIM of brightness (height, width) of uint8, without so many pixels at each border, as is the custom."""
    if min(real.shape) > 2 * border:
        made, real = made[border:-border, border:-border], real[border:-border, border:-border]
    return psnr(made[None], real[None]), ssim(made, real)


def plainly(small: np.ndarray, scale: int) -> np.ndarray:
    """Brightness (height, width) of uint8 enlarged by bicubic interpolation."""
    image = Image.fromarray(small)
    return np.asarray(image.resize((small.shape[1] * scale, small.shape[0] * scale), Image.Resampling.BICUBIC))


def check_pair(small: np.ndarray, real: np.ndarray, scale: int, where: str) -> None:
    """That a small and a large photo belong together.

    Raises:
        PlanError: if the large one is not `scale` times as large.
    """
    if (small.shape[0] * scale, small.shape[1] * scale) != real.shape:
        raise PlanError(
            f"{where}: the small photo is {small.shape[0]} x {small.shape[1]} and the large one {real.shape[0]} x "
            f"{real.shape[1]}, not {scale} times as large. Give pairs that belong together, and inputs.photo.scale as "
            "outputs.large.scale."
        )


def photo_at(prepared: Prepared, path: str, row: int) -> np.ndarray:
    """One photo of a block, (height, width) of uint8."""
    values = to_values(prepared.blocks[path].take(np.array([row])))
    assert isinstance(values, Ragged)
    return photos_of(values)[0].numpy()


def looks_real(plan: Plan) -> bool:
    """Whether a network that enlarges was taught by a critic to look real, which costs PSNR."""
    return plan.training.objective == "adversarial"


def squares(photo: np.ndarray, side: int = SQUARE) -> np.ndarray:
    """(squares, 1, side, side): a photo (height, width) cut into whole squares, beside each other."""
    high, wide = (length // side for length in photo.shape)
    cut = photo[: high * side, : wide * side].reshape(high, side, wide, side)
    return cut.swapaxes(1, 2).reshape(-1, 1, side, side)


class PhotoJudge(Judging):
    """PSNR on the rows to choose by; with a critic the Fréchet distance of squares, in directions of edges."""

    def __init__(self, prepared: Prepared):
        """Judge on `prepared.judged`."""
        self._plan = prepared.plan
        ((name, part),), (given,) = prepared.plan.outputs.items(), prepared.plan.inputs
        self._column, self._scale = part.column, scale_of(prepared.plan)
        self._pairs = []
        for row in prepared.judged[:JUDGED]:
            small, real = (photo_at(prepared, path, row) for path in (f"inputs.{given}", f"outputs.{name}"))
            check_pair(small, real, self._scale, prepared.table.where(int(row)))
            small = small[:SIDE, :SIDE]
            self._pairs.append((small, real[: len(small) * self._scale, : small.shape[1] * self._scale]))
        self._eye = None
        if looks_real(self._plan):
            real = _all_squares([real for _, real in self._pairs])
            self._eye = plain_eye(real)
            self._seen = self._eye.look(real).features

    @property
    def decides(self) -> Metric:
        """What the result is judged by."""
        metric = photo_metrics()["psnr"] if self._eye is None else PICTURE_SETS["frechet"]
        return metric.of(self._column)

    def __call__(self, network: Network, step: int) -> dict[str, float]:
        """The figures after a step."""
        made = [enlarged(network, self._plan, small) for small, _ in self._pairs]
        found = [measured(one, real, self._scale)[0] for one, (_, real) in zip(made, self._pairs, strict=True)]
        figures = {f"{self._column}.psnr": float(np.mean(found))}
        if self._eye is not None:
            seen = self._eye.look(_all_squares(made)).features
            figures[f"{self._column}.frechet"] = frechet(seen, self._seen)
        return figures


def _all_squares(photos: Sequence[np.ndarray]) -> np.ndarray:
    """Squares of all photos.

    Raises:
        DataError: if there are too few to compare sets by.
    """
    found = np.concatenate([squares(photo) for photo in photos])
    if len(found) < FEWEST:
        raise DataError(
            f"The photos to choose by hold {len(found)} squares of {SQUARE} x {SQUARE} pixels; at least {FEWEST} are "
            "needed to say whether enlarged photos look real. Give more or larger photos."
        )
    return found
