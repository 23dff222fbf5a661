"""The eye of a run that makes pictures, kept beside the network: so that other pictures are judged by the same eye.

What it saw in some training pictures is kept as well: as good as made pictures can be.
"""

from typing import NamedTuple

import numpy as np
from safetensors.numpy import save_file

from lamina.ground import RunError, load_tensors, numpy_generator, system_errors
from lamina.run.eye import Eye, Seen
from lamina.run.folder import RunFolder, load_network
from lamina.run.picture_judge import asked_numbers
from lamina.run.prepared import Prepared

MOST = 5_000
"""Training pictures of which it is kept what was seen in them."""
_FOLDER, _SEEN = "eye", "seen.safetensors"


class Kept(NamedTuple):
    """An eye, and what it saw in training pictures."""

    eye: Eye
    learned: Seen
    asked: np.ndarray | None
    """(pictures,) the number of each one's class; None without classes."""


def keep_eye(folder: RunFolder, prepared: Prepared) -> None:
    """Write the eye of a training into its run."""
    eye = prepared.eye
    assert eye is not None
    (name,) = prepared.plan.outputs
    rows = np.sort(numpy_generator(prepared.plan.training.seed, "keep").permutation(prepared.split.train)[:MOST])
    seen = eye.look(np.asarray(prepared.blocks[f"outputs.{name}"].values[rows]))
    arrays = {"features": seen.features}
    if (asked := asked_numbers(prepared, rows)) is not None:
        arrays["asked"] = asked
    place = RunFolder(folder / _FOLDER)
    place.path.mkdir(exist_ok=True)
    if eye.classifier is not None:
        place.write_plan(eye.classifier.plan)
        place.write_network(eye.classifier)
    else:
        assert eye.directions is not None
        arrays |= {name: np.asarray(eye.directions[name]) for name in ("mean", "directions")}
    with system_errors(place.path):
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, place / _SEEN)


def load_eye(folder: RunFolder) -> Kept:
    """The eye of a run that was verified.

    Raises:
        RunError: if there is none, or it is damaged.
    """
    place = RunFolder(folder / _FOLDER)
    if not (place / _SEEN).exists():
        raise RunError(f"{folder.path} keeps nothing to look at pictures with: it was made by an earlier Lamina. "
                       "Train it again.")  # fmt: skip
    arrays = {name: tensor.numpy() for name, tensor in load_tensors(place / _SEEN).items()}
    if (place / "plan.yaml").exists():
        classifier = load_network(place, {})
        classifier.network.looks_twice = False  # its features are those of one look
        eye = Eye(classifier)
    else:
        eye = Eye(directions={name: arrays[name] for name in ("mean", "directions")})
    return Kept(eye, Seen(arrays["features"], None), arrays.get("asked"))
