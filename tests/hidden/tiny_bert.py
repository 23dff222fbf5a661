"""A published encoder in small: a folder with random weights under the true names, and torch's own layers for it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tokenizers
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

WIDTH, HEADS, INNER, LAYERS, PLACES = 16, 4, 24, 2, 10
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "film", "is", "good", "bad", "very", "un", "##kind", "."]

_DISTIL = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}


def write(folder: Path, kind: str = "bert", **config: Any) -> dict[str, Tensor]:
    """Make a folder of this kind; `config` stands beside what belongs there. The tensors, as they are in the file."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = weights(kind)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(sizes(kind) | config))
    vocabulary(folder)
    return tensors


def sizes(kind: str) -> dict[str, Any]:
    """What config.json says."""
    if kind == "distilbert":
        return {"model_type": kind, "dim": WIDTH, "n_heads": HEADS, "hidden_dim": INNER, "n_layers": LAYERS,
                "max_position_embeddings": PLACES, "activation": "gelu"}  # fmt: skip
    offset = 2 if kind == "roberta" else 0
    return {"model_type": kind, "hidden_size": WIDTH, "num_attention_heads": HEADS, "intermediate_size": INNER,
            "num_hidden_layers": LAYERS, "max_position_embeddings": PLACES + offset, "hidden_act": "gelu",
            "layer_norm_eps": 1e-5 if offset else 1e-12, "pad_token_id": 1 if offset else 0,
            "vocab_size": len(WORDS), "type_vocab_size": 1 if offset else 2}  # fmt: skip


def vocabulary(folder: Path) -> None:
    """tokenizer.json: BERT's pieces of words, small letters, with truncation on, as published files often have it."""
    made = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    made.normalizer = tokenizers.normalizers.BertNormalizer()
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.enable_truncation(PLACES)
    made.enable_padding(length=PLACES)
    made.save(str(folder / "tokenizer.json"))


def weights(kind: str) -> dict[str, Tensor]:
    """Random tensors by the names that files of this kind have, the head of their first training among them."""
    torch.manual_seed(5)
    made = {
        "embeddings.word_embeddings.weight": torch.randn(len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": torch.randn(PLACES + (2 if kind == "roberta" else 0), WIDTH),
        "embeddings.LayerNorm.weight": 1 + 0.1 * torch.randn(WIDTH),
        "embeddings.LayerNorm.bias": 0.1 * torch.randn(WIDTH),
    }
    if kind != "distilbert":
        made["embeddings.token_type_embeddings.weight"] = torch.randn(1 if kind == "roberta" else 2, WIDTH)
    for layer in range(LAYERS):
        for name in _DISTIL:
            wide = {"intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER)}.get(name, (WIDTH, WIDTH))
            norm = name.endswith("LayerNorm")
            shown = _DISTIL[name] if kind == "distilbert" else name
            path = f"{'transformer' if kind == 'distilbert' else 'encoder'}.layer.{layer}.{shown}"
            made[f"{path}.weight"] = 1 + 0.1 * torch.randn(WIDTH) if norm else 0.3 * torch.randn(wide)
            made[f"{path}.bias"] = 0.1 * torch.randn(WIDTH if norm else wide[0])
    named = {f"{kind}.{name}": tensor for name, tensor in made.items()}
    return named | {"cls.predictions.bias": torch.zeros(len(WORDS))}


def by_torch(kind: str, tensors: Mapping[str, Tensor], ids: Tensor) -> Tensor:
    """(batch, tokens) numbers of the file's vocabulary through torch's own encoder: (batch, tokens, width)."""
    found = {name.removeprefix(f"{kind}."): tensor for name, tensor in tensors.items()}
    epsilon = 1e-5 if kind == "roberta" else 1e-12
    offset = 2 if kind == "roberta" else 0
    values = found["embeddings.word_embeddings.weight"][ids]
    values = values + found["embeddings.position_embeddings.weight"][offset : offset + ids.shape[1]]
    if kind != "distilbert":
        values = values + found["embeddings.token_type_embeddings.weight"][0]
    norm = nn.LayerNorm(WIDTH, epsilon)
    norm.load_state_dict({part: found[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")})
    values = norm(values)
    for number in range(LAYERS):
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, INNER, 0.0, "gelu", epsilon, batch_first=True)
        place = f"{'transformer' if kind == 'distilbert' else 'encoder'}.layer.{number}."
        part = {name: place + (shown if kind == "distilbert" else name) for name, shown in _DISTIL.items()}
        for ending in ("weight", "bias"):
            asked = [found[f"{part[f'attention.self.{name}']}.{ending}"] for name in ("query", "key", "value")]
            state = {f"self_attn.in_proj_{ending}": torch.cat(asked)}
            for name, own in (("attention.output.dense", "self_attn.out_proj"), ("attention.output.LayerNorm", "norm1"),
                              ("intermediate.dense", "linear1"), ("output.dense", "linear2"),
                              ("output.LayerNorm", "norm2")):  # fmt: skip
                state[f"{own}.{ending}"] = found[f"{part[name]}.{ending}"]
            layer.load_state_dict(state, strict=False)
        values = layer.train()(values)  # no dropout, and not torch's shortcut for evaluation
    return values.detach()
