"""The encoder of BERT and its kin, which can go on from published weights.

Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers"; RoBERTa (Liu et al. 2019) and DistilBERT
(Sanh et al. 2019) are the same layers under other names, the latter half as many.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.ground.dropout import Dropout
from lamina.ground.errors import PlanError, listing
from lamina.ground.model_folder import ModelFolder
from lamina.ground.shapes import Features, Form, Shape, tokens
from lamina.hidden._windows import in_windows
from lamina.hidden.contract import HiddenLayer, HiddenPlan
from lamina.hidden.pretrained import Report, take_over
from lamina.hidden.weights_file import read_weights

ActivationOfBert = Literal["gelu", "gelu_new", "relu"]

_BLOCK = {
    r"attention\.self\.(query|key|value)|attention\.([qkv])_lin": "{0}",
    r"attention\.output\.dense|attention\.out_lin": "gather",
    r"attention\.output\.LayerNorm|sa_layer_norm": "first",
    r"intermediate\.dense|ffn\.lin1": "widen",
    r"output\.dense|ffn\.lin2": "narrow",
    r"output\.LayerNorm|output_layer_norm": "second",
}
"""The parts of a block: as BERT or as DistilBERT names them, and here."""
_ENDINGS = {"gamma": "weight", "beta": "bias"}
"""As the first published files called the numbers of a norm."""


@dataclass(frozen=True, kw_only=True)
class BertPlan(HiddenPlan):
    """Blocks of attention and dense layers, each followed by its norm; the vectors of tokens are the input's."""

    name: ClassVar[str] = "bert"
    accepts: ClassVar[tuple[Form, ...]] = ("tokens",)

    weights: str | None = None
    """The folder of a published encoder to start from: config.json, model.safetensors, tokenizer.json or vocab.txt."""
    freeze: int | Literal["all"] = 0
    """Leading stages that keep their weights: the vectors of tokens and places, then each block; 0 trains all."""
    num_layers: int = 12
    """Blocks on top of each other."""
    heads: int = 12
    """Ways of looking side by side; the width of tokens is divided among them."""
    inner: int = 3072
    """Numbers between the two dense layers of a block."""
    window: int = 512
    """Tokens that look at each other, with those at both ends; a longer text is read in several windows."""
    activation: ActivationOfBert = "gelu"
    """Between the two dense layers of a block; `gelu_new` is GELU by way of tanh."""
    epsilon: float = 1e-12
    """What norms add before they divide."""
    dropout: float = 0.1
    """Share of each block's answers that is left out at random in training."""

    def __post_init__(self) -> None:
        for setting in ("num_layers", "heads", "inner", "window"):
            if (value := getattr(self, setting)) < 1:
                raise PlanError(f"bert: {setting} is {value}; it must be at least 1.")
        if not 0 <= self.dropout < 1:
            raise PlanError(f"bert: dropout is {self.dropout}; it must be at least 0 and below 1.")
        if self.freeze != "all" and not 0 <= self.freeze <= self.num_layers + 1:
            raise PlanError(f"bert: freeze is {self.freeze}; there are {self.num_layers + 1} stages, or say all.")

    def build(self, shape: Shape) -> "BertLayer":
        """The encoder for tokens of this width, filled from `weights`; not on the meta device, without numbers.

        Raises:
            PlanError: if the width cannot be divided among the heads, or the weights do not fit.
        """
        if shape.width % self.heads:
            raise PlanError(f"bert: a width of {shape.width} cannot be divided among {self.heads} heads.")
        layer = BertLayer(self, shape)
        if self.weights is not None and not layer.places.is_meta:
            layer.pretrained = _load(layer, ModelFolder.read(self.weights))
        return layer


def bert_settings(folder: ModelFolder) -> dict[str, Any]:
    """Settings of the published encoder of a folder, and the `width` of its tokens.

    Raises:
        PlanError: if they make no sense, or speak of more numbers than the file of weights can hold.
    """
    found: dict[str, Any] = {
        "num_layers": folder.number("num_hidden_layers", "n_layers"),
        "heads": folder.number("num_attention_heads", "n_heads"),
        "inner": folder.number("intermediate_size", "hidden_dim"),
        "window": folder.window,
        "activation": folder.config.get("hidden_act", folder.config.get("activation", "gelu")),
        "epsilon": folder.config.get("layer_norm_eps", 1e-12),
        "width": folder.number("hidden_size", "dim"),
    }
    config, width = folder.path / "config.json", found["width"]
    if found["activation"] not in ("gelu", "gelu_new", "relu"):
        raise PlanError(f"{config}: the activation is {found['activation']!r}; known are gelu, gelu_new and relu.")
    if not isinstance(found["epsilon"], float) or not 0 < found["epsilon"] < 1:
        raise PlanError(f"{config}: layer_norm_eps is {found['epsilon']!r}, which is no small number.")
    # Two bytes a number at least. Said here, before memory is asked for.
    claimed = 2 * width * (found["num_layers"] * (4 * width + 2 * found["inner"]) + folder.window)
    size = folder.file("model.safetensors").stat().st_size
    if claimed > size:
        raise PlanError(f"{config} speaks of a network of {claimed:,} bytes or more, but model.safetensors has "
                        f"{size:,}: they do not belong together.")  # fmt: skip
    return found


class BertLayer(HiddenLayer):
    """(batch, tokens, width) vectors of tokens -> (batch, tokens, width) what they mean in their window."""

    pretrained: Report | None = None
    """What was loaded, if anything; its `vectors` are offered to the input."""

    def __init__(self, plan: BertPlan, shape: Shape):
        """Blocks as the plan says for tokens of `shape`."""
        super().__init__()
        self.places = nn.Parameter(0.02 * torch.randn(plan.window, shape.width))
        self.norm = nn.LayerNorm(shape.width, plan.epsilon)
        self.blocks = nn.ModuleList(Block(plan, shape.width) for _ in range(plan.num_layers))
        self.dropout = Dropout(plan.dropout)
        self.shape = shape
        self.frozen = plan.num_layers + 1 if plan.freeze == "all" else plan.freeze
        """Leading stages that keep their weights."""
        for part in self._kept():
            part.requires_grad_(False)
        self.places.requires_grad_(not self.frozen)

    def _kept(self) -> Sequence[nn.Module]:
        return [self.norm, *self.blocks][: self.frozen]

    def train(self, mode: bool = True) -> Self:
        """As `nn.Module.train`, but frozen stages leave nothing out at random."""
        super().train(mode)
        for part in self._kept():
            part.eval()
        self.dropout.train(mode and not self.frozen)
        return self

    def forward(self, features: Features) -> Features:
        batch, count, width = features.values.shape
        values, true = in_windows(features.values, features.lengths, len(self.places))
        values = self.dropout(self.norm(values + self.places[: values.shape[1]]))
        for block in self.blocks:
            values = block(values, true)
        return tokens(values.reshape(batch, -1, width)[:, :count], features.lengths)


class Block(nn.Module):
    """Attention, then two dense layers for each token; after both the input is added and a norm taken."""

    def __init__(self, plan: BertPlan, width: int):
        """One block of the plan."""
        super().__init__()
        self.heads, self.activation = plan.heads, plan.activation
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.gather = nn.Linear(width, width)
        self.first, self.second = nn.LayerNorm(width, plan.epsilon), nn.LayerNorm(width, plan.epsilon)
        self.widen, self.narrow = nn.Linear(width, plan.inner), nn.Linear(plan.inner, width)
        self.dropout = Dropout(plan.dropout)

    def forward(self, values: Tensor, true: Tensor | None) -> Tensor:
        """(rows, tokens, width) -> the same shape; `true` says which tokens may be looked at."""
        query, key, value = (
            part(values).unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )  # (rows, heads, tokens, width of a head) each
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=true)
        values = self.first(values + self.dropout(self.gather(seen.transpose(1, 2).flatten(2))))
        inner = self.widen(values)
        if self.activation == "relu":
            inner = inner.relu()
        else:
            inner = functional.gelu(inner, approximate="tanh" if self.activation == "gelu_new" else "none")
        return self.second(values + self.dropout(self.narrow(inner)))


def _load(layer: BertLayer, folder: ModelFolder) -> Report:
    path = folder.file("model.safetensors")
    found, names = _named(read_weights(path), folder, len(layer.places))
    vectors = found.pop("vectors", None)
    if vectors is not None and vectors.shape[1:] != (layer.shape.width,):
        raise PlanError(
            f"weights: {path} holds tokens of {vectors.shape[-1]} numbers, but those that reach it have "
            f"{layer.shape.width}. Read texts by its tokens: --set inputs.NAME.kind=tokens --set "
            f"inputs.NAME.vocabulary={folder.path} --set inputs.NAME.width={vectors.shape[-1]}"
        )
    own = layer.state_dict()
    lacking = [name for name in own if name not in found]
    other = [names[name] for name in own if name in found and own[name].shape != found[name].shape]
    if lacking or other or vectors is None:
        what = f"lacks {listing(lacking or ['the vectors of tokens'], 3)}" if not other else (
            f"holds {listing(other, 3)} in other shapes than the plan says")  # fmt: skip
        raise PlanError(f"weights: {path} {what}. Take hidden.num_layers, heads, inner and window from its "
                        "config.json, as happens where none of them is given.")  # fmt: skip
    return take_over(layer, found, names, path, vectors=vectors)


def _named(found: Mapping[str, Tensor], folder: ModelFolder, window: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by the names that they have here, or their own where they have none, and each one's name in the file."""
    made, names = dict[str, Tensor](), dict[str, str]()
    for name, tensor in found.items():
        here = _name_here(name)
        if here in made:
            raise PlanError(f"weights: {folder.path} holds {name!r} and {names[here]!r}, which are the same part.")
        made[here], names[here] = tensor, name
    if (places := made.get("places")) is not None and places.ndim == 2:
        places = places[folder.first_place :][:window].float()
        kinds = made.pop("kinds", None)
        # A text that stands alone is the first of a pair: its mark is added at each place.
        made["places"] = places if kinds is None or kinds.shape[1:] != places.shape[1:] else places + kinds[0]
    return made, names


def _name_here(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    stem, ending = re.sub(r"^(bert|roberta|distilbert)\.", "", stem), _ENDINGS.get(ending, ending)
    single = {"word": "vectors", "position": "places", "token_type": "kinds"}
    if match := re.fullmatch(r"embeddings\.(\w+)_embeddings", stem):
        return single.get(match[1], name) if ending == "weight" else name
    if stem == "embeddings.LayerNorm":
        return f"norm.{ending}"
    if match := re.fullmatch(r"(?:encoder|transformer)\.layer\.(\d+)\.(.+)", stem):
        for pattern, part in _BLOCK.items():
            if inner := re.fullmatch(pattern, match[2]):
                letter = next(filter(None, inner.groups()), "")
                word = {"q": "query", "k": "key", "v": "value"}.get(letter, letter)
                return f"blocks.{int(match[1])}.{part.format(word)}.{ending}"
    return name
