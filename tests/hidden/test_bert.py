"""Published encoders of texts: what is read from their folder, what they answer, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hidden import tiny_bert
from hidden.tiny_bert import PLACES, WIDTH, WORDS
from safetensors.torch import load_file, save_file
from torch import Tensor

from lamina.ground import ModelFolder, PlanError, Shape, tokens
from lamina.hidden import BertPlan, bert_settings
from lamina.hidden.bert import BertLayer

SHAPE = Shape("tokens", WIDTH)


def build(folder: Path, **settings: Any) -> BertLayer:
    said = bert_settings(ModelFolder.read(folder))
    return BertPlan(weights=str(folder), **{name: said[name] for name in said if name != "width"} | settings).build(
        Shape("tokens", said["width"])
    )


def answers(layer: BertLayer, ids: Tensor, lengths: Tensor | None = None) -> Tensor:
    assert layer.pretrained is not None and layer.pretrained.vectors is not None
    with torch.no_grad():
        return layer.eval()(tokens(layer.pretrained.vectors[ids], lengths)).values


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert"])
def test_it_answers_as_torchs_own_encoder_with_the_same_weights(kind: str, tmp_path: Path) -> None:
    tensors = tiny_bert.write(tmp_path, kind)
    ids = torch.randint(len(WORDS), (3, PLACES), generator=torch.Generator().manual_seed(0))
    layer = build(tmp_path)
    torch.testing.assert_close(answers(layer, ids), tiny_bert.by_torch(kind, tensors, ids), atol=1e-5, rtol=1e-5)
    report = layer.pretrained
    assert report is not None and report.unexpected == ("cls.predictions.bias",) and not report.missing
    assert len(report.renamed) == len(layer.state_dict())


def test_shorter_texts_of_a_batch_answer_as_they_do_alone(tmp_path: Path) -> None:
    tensors = tiny_bert.write(tmp_path)
    ids = torch.randint(len(WORDS), (3, 8), generator=torch.Generator().manual_seed(0))
    found = answers(build(tmp_path), ids, torch.tensor([8, 3, 5]))
    for row, length in enumerate((8, 3, 5)):
        alone = tiny_bert.by_torch("bert", tensors, ids[row : row + 1, :length])
        torch.testing.assert_close(found[row, :length], alone[0], atol=1e-5, rtol=1e-5)


def test_a_text_that_is_longer_than_its_places_is_read_in_windows(tmp_path: Path) -> None:
    tensors = tiny_bert.write(tmp_path)
    ids = torch.randint(len(WORDS), (1, 2 * PLACES + 3), generator=torch.Generator().manual_seed(0))
    found = answers(build(tmp_path), ids, torch.tensor([2 * PLACES + 3]))
    for start in (0, PLACES, 2 * PLACES):
        window = tiny_bert.by_torch("bert", tensors, ids[:, start : start + PLACES])
        torch.testing.assert_close(found[:, start : start + PLACES], window, atol=1e-5, rtol=1e-5)


def test_the_first_files_called_the_numbers_of_norms_otherwise(tmp_path: Path) -> None:
    tensors = tiny_bert.write(tmp_path)
    old = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
           for name, tensor in tensors.items()}  # fmt: skip
    ids = torch.arange(6)[None]
    before = answers(build(tmp_path), ids)
    save_file(old, tmp_path / "model.safetensors")
    assert torch.equal(answers(build(tmp_path), ids), before)


@pytest.mark.parametrize("freeze, learn", [(0, 3), (1, 2), (2, 1), ("all", 0)])
def test_frozen_stages_keep_their_weights_and_leave_nothing_out(freeze: Any, learn: int, tmp_path: Path) -> None:
    tiny_bert.write(tmp_path)
    layer = build(tmp_path, freeze=freeze).train()
    stages = [[layer.places, *layer.norm.parameters()], *(list(block.parameters()) for block in layer.blocks)]
    assert [all(parameter.requires_grad for parameter in stage) for stage in stages] == [False] * (3 - learn) + [
        True
    ] * learn
    given = tokens(torch.randn(2, 4, WIDTH))
    assert torch.equal(layer(given).values, layer(given).values) == (learn == 0)


@pytest.mark.parametrize(
    "change, said",
    [
        ({"model_type": "t5"}, "model_type is 't5'"),
        ({"hidden_size": 20}, "holds tokens of 16 numbers, but those that reach it have 20"),
        ({"intermediate_size": 20}, "in other shapes than the plan says"),
        ({"num_hidden_layers": 3}, "lacks blocks.2"),
        ({"hidden_size": 2**20}, "do not belong together"),
        ({"num_hidden_layers": 10**12}, "num_hidden_layers is 1000000000000, which is no size"),
        ({"num_attention_heads": True}, "num_attention_heads is True, which is no size"),
        ({"max_position_embeddings": 2}, "no room between its ends"),
        ({"hidden_act": "swiglu"}, "known are gelu, gelu_new and relu"),
        ({"layer_norm_eps": "tiny"}, "which is no small number"),
        ({"position_embedding_type": "relative_key"}, "only 'absolute' is known"),
        ({"intermediate_size": None}, "intermediate_size is None, which is no size"),
    ],
)
def test_a_folder_that_contradicts_itself_is_refused_in_words(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    tiny_bert.write(tmp_path, **change)
    with pytest.raises(PlanError, match=said):
        build(tmp_path)


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("config.json", None, "lacks config.json"),
        ("config.json", b"{", "config.json cannot be read"),
        ("config.json", b"[" * 100_000, "config.json cannot be read"),
        ("config.json", b"[]", "it holds no settings by name"),
        ("model.safetensors", None, r"lacks model.safetensors \(there is none\)"),
        ("model.safetensors", b"\xff" * 100, "speaks of a network of"),
        ("model.safetensors", (2**60).to_bytes(8, "little") + b"{" * 40_000, "damaged or no safetensors"),
    ],
)
def test_files_that_are_not_what_they_should_be_are_refused(
    name: str, content: bytes | None, said: str, tmp_path: Path
) -> None:
    tiny_bert.write(tmp_path)
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_bytes(content)
    with pytest.raises(PlanError, match=said):
        build(tmp_path)


def test_a_pickle_is_refused_with_the_word_how_to_convert_it(tmp_path: Path) -> None:
    tiny_bert.write(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(PlanError, match=r"pytorch_model.bin could run code .*save_pretrained"):
        build(tmp_path)


def test_weights_without_a_needed_tensor_are_refused(tmp_path: Path) -> None:
    tiny_bert.write(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors.pop("bert.encoder.layer.1.attention.self.key.weight")
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(PlanError, match="lacks blocks.1.key.weight"):
        build(tmp_path)


def test_sizes_are_those_of_the_folder(tmp_path: Path) -> None:
    tiny_bert.write(tmp_path, "roberta")
    said = bert_settings(ModelFolder.read(tmp_path))
    assert said == {"num_layers": 2, "heads": 4, "inner": 24, "window": PLACES, "activation": "gelu", "epsilon": 1e-5,
                    "width": WIDTH}  # fmt: skip
    assert json.loads((tmp_path / "config.json").read_text())["max_position_embeddings"] == PLACES + 2


@pytest.mark.parametrize("settings", [{"freeze": 14}, {"dropout": 1.0}, {"heads": 5}, {"window": 0}])
def test_settings_that_do_not_do_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match="bert: "):
        BertPlan(**settings).build(SHAPE)
