"""The folder of a published text encoder, as Hugging Face keeps it: what it says of itself, and which files it has.

Nothing of it is run: sizes are read from `config.json`, tokens from `tokenizer.json` or `vocab.txt`, weights from
`model.safetensors`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.ground.errors import PlanError, listing

KINDS = ("bert", "roberta", "xlm-roberta", "camembert", "distilbert")
"""What `model_type` may be: encoders of one architecture (Devlin et al. 2019, Liu et al. 2019, Sanh et al. 2019)."""
_LARGEST_CONFIG = 2**20
_LARGEST_NUMBER = 2**20
_CONVERT = (
    "from transformers import AutoModel, AutoTokenizer; AutoModel.from_pretrained(FOLDER).save_pretrained(FOLDER, "
    "safe_serialization=True); AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
)


@dataclass(frozen=True)
class ModelFolder:
    """A folder whose `config.json` was read and speaks of an encoder that is known here."""

    path: Path
    config: Mapping[str, Any]

    @classmethod
    def read(cls, folder: str | Path) -> "ModelFolder":
        """What the folder says of itself.

        Raises:
            PlanError: if there is none, or it holds another kind of network.
        """
        path = Path(folder).expanduser()
        if not path.is_dir():
            raise PlanError(f"{path} is no folder. Give the folder of a published encoder, with config.json in it.")
        config = path / "config.json"
        if not config.is_file():
            raise PlanError(f"{path} lacks config.json, which says how the encoder is built.")
        try:
            if config.stat().st_size > _LARGEST_CONFIG:
                raise ValueError(f"it has more than {_LARGEST_CONFIG:,} bytes")
            found = json.loads(config.read_text("utf-8"))
            if not isinstance(found, dict):
                raise ValueError("it holds no settings by name")
        except (OSError, ValueError, RecursionError) as error:
            raise PlanError(f"{config} cannot be read: {error}.") from error
        kind = found.get("model_type")
        if kind not in KINDS:
            raise PlanError(f"{config}: model_type is {kind!r}; what can be read is {listing(KINDS)}.")
        if found.get("position_embedding_type", "absolute") != "absolute":
            raise PlanError(f"{config}: position_embedding_type is {found['position_embedding_type']!r}; only "
                            "'absolute' is known here.")  # fmt: skip
        return cls(path, found)

    def number(self, *names: str) -> int:
        """A size under the first of these names that is there.

        Raises:
            PlanError: if there is none, or it is no sensible size.
        """
        for name in names:
            if name in self.config:
                value = self.config[name]
                if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST_NUMBER:
                    raise PlanError(f"{self.path / 'config.json'}: {name} is {value!r}, which is no size.")
                return value
        raise PlanError(f"{self.path / 'config.json'} lacks {names[0]}.")

    @property
    def first_place(self) -> int:
        """The number of a text's first place: RoBERTa and its kin count from behind that of padding."""
        return 0 if self.config["model_type"] in ("bert", "distilbert") else self.number("pad_token_id") + 1

    @property
    def window(self) -> int:
        """Tokens that are read at once, with those at both ends."""
        window = self.number("max_position_embeddings") - self.first_place
        if window < 3:
            raise PlanError(f"{self.path / 'config.json'}: a text of {window} tokens has no room between its ends.")
        return window

    def file(self, *names: str) -> Path:
        """The first of these files that is there.

        Raises:
            PlanError: if none is, with how to make one.
        """
        for name in names:
            if (self.path / name).is_file():
                return self.path / name
        there = sorted(each.name for each in self.path.iterdir())
        pickled = [name for name in there if name.endswith((".bin", ".pt", ".pth", ".h5", ".msgpack"))]
        why = f"{listing(pickled)} could run code when opened, and is not read" if pickled else "there is none"
        raise PlanError(
            f"{self.path} lacks {' or '.join(names)} ({why}). Where you trust its maker, write it with the package "
            f"transformers, once: {_CONVERT.replace('FOLDER', repr(str(self.path)))}"
        )
