"""What looks at pictures to say how alike two sets of them are.

Where pictures have classes it is a classifier that was trained on the same pictures: its features before the answer
are compared, and its answers say whether a made picture is recognised. Without classes it is features by hand
(`handmade`), in the directions in which training pictures differ most. Either way its figures compare trainings on the
same data, and nothing that was published elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import torch

from lamina.data import Batch, Facts
from lamina.network import Network
from lamina.run.handmade import picture_features
from lamina.run.trained import SCORE_ROWS, Trained

DIRECTIONS = 64
"""In which hand-made features are compared, at most."""


class Seen(NamedTuple):
    """What was seen in some pictures."""

    features: np.ndarray
    """(pictures, numbers) float32."""
    classes: np.ndarray | None
    """(pictures,) the number of the class that each was recognised as; None without classes."""


@dataclass(frozen=True)
class Eye:
    """Looks at pictures of one size."""

    classifier: Trained | None = None
    directions: Facts | None = None
    """Without a classifier: `mean` and `directions` of hand-made features."""

    @property
    def name(self) -> str:
        """What its figures are figures of, in words."""
        if self.classifier is not None:
            return "features of a classifier that was trained on the same pictures"
        return "directions of edges, corners and coarse colours"

    @property
    def classes(self) -> Sequence[str]:
        """The names of the classes that it tells apart; none without a classifier."""
        if self.classifier is None:
            return ()
        (output,) = self.classifier.network.outputs.values()
        return cast(Sequence[str], output.classes)

    def numbers(self, names: Sequence[str | None]) -> np.ndarray:
        """(rows,) the number of each class by its name; -1 for one that it does not know."""
        known = {name: number for number, name in enumerate(self.classes)}
        return np.array([known.get(str(name), -1) for name in names], dtype=np.int64)

    def look(self, pictures: np.ndarray) -> Seen:
        """What is seen in pictures (rows, channels, height, width) of uint8."""
        if self.classifier is None:
            assert self.directions is not None
            mean, directions = (cast(np.ndarray, self.directions[name]) for name in ("mean", "directions"))
            return Seen(((picture_features(pictures) - mean) @ directions.T).astype(np.float32), None)
        pieces = [self._look(pictures[start : start + SCORE_ROWS]) for start in range(0, len(pictures), SCORE_ROWS)]
        return Seen(np.concatenate([piece.features for piece in pieces]),
                    np.concatenate([cast(np.ndarray, piece.classes) for piece in pieces]))  # fmt: skip

    @torch.no_grad()
    def _look(self, pictures: np.ndarray) -> Seen:
        assert self.classifier is not None
        network = cast(Network, self.classifier.network).eval()
        (name,), ((target, output),) = self.classifier.plan.inputs, network.outputs.items()
        values = torch.from_numpy(np.ascontiguousarray(pictures)).to(self.classifier.device)
        batch = Batch({name: values}, {}, torch.arange(len(pictures)))
        found = network.features(batch.inputs)["hidden"]
        features = found.values.flatten(1).float().cpu().numpy()
        lead = network.leads[target](found) if target in network.leads else found
        scores = output.decode(output(lead).float().cpu(), {}).scores
        return Seen(features, scores.argmax(1))


def plain_eye(pictures: np.ndarray) -> Eye:
    """An eye for pictures without classes, from some training pictures (rows, channels, height, width) of uint8."""
    features = picture_features(pictures).astype(np.float64)
    mean = features.mean(0)
    _, spread, directions = np.linalg.svd(features - mean, full_matrices=False)
    count = min(DIRECTIONS, max(len(pictures) // 4, 1), int((spread > 1e-6 * spread[0]).sum()) or 1)
    return Eye(directions={"mean": mean.astype(np.float32), "directions": directions[:count].astype(np.float32)})
