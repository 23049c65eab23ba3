"""Reading weights: names as published, what is left out, and what is told of it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from learners.backbones.architecture import Architecture, architecture_from_config, parameter_shapes
from learners.backbones.backbone import load_backbone
from learners.backbones.weights import is_finite, read_weights, weight_files
from tasks.errors import InputError


@pytest.fixture
def folder(tiny_backbone: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_backbone, tmp_path / "copy"))


@pytest.fixture
def architecture(folder: Path) -> Architecture:
    return architecture_from_config(json.loads((folder / "config.json").read_text()))


def rewrite(folder: Path, **more: Tensor) -> dict[str, Tensor]:
    """The weights as a model with a head has them, under names of TensorFlow, in half of the precision."""
    weights = load_file(folder / "model.safetensors")
    for old, new in (("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")):
        weights = {name.replace(old, new): tensor for name, tensor in weights.items()}
    weights = {f"bert.{name}": tensor.half() for name, tensor in weights.items()}
    save_file(weights | more, folder / "model.safetensors")
    return weights


def test_published_names(folder: Path, architecture: Architecture) -> None:
    before, _ = read_weights(folder, architecture)
    rewrite(folder, **{"cls.predictions.bias": torch.zeros(3), "bert.embeddings.position_ids": torch.arange(48)})
    after, notes = read_weights(folder, architecture)
    assert list(after) == list(before) == list(parameter_shapes(architecture))
    assert all(torch.equal(after[name], before[name].half().float()) for name in before)
    assert {tensor.dtype for tensor in after.values()} == {torch.float32}
    assert notes == (), "heads, and buffers of older versions, are nothing to tell of"
    assert load_backbone(str(folder)).notes == ()


def test_tensors_of_the_encoder_that_are_not_used_are_named(folder: Path, architecture: Architecture) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 1}))
    (note,) = load_backbone(str(folder)).notes
    assert note.startswith("16 tensors of the encoder")
    assert note.endswith("such as encoder.layer.1.attention.output.LayerNorm.bias")


def test_no_pooler_where_none_is_wanted_or_it_is_not_whole(folder: Path, architecture: Architecture) -> None:
    without = dataclasses.replace(architecture, pooler=False)
    assert not [name for name in read_weights(folder, without)[0] if name.startswith("pooler")]
    weights = load_file(folder / "model.safetensors")
    del weights["pooler.dense.bias"]
    save_file(weights, folder / "model.safetensors")
    assert not [name for name in read_weights(folder, architecture)[0] if name.startswith("pooler")]


def test_a_file_written_over_changes_nothing(folder: Path, architecture: Architecture) -> None:
    """The file is not the memory of the weights: one cut short under a running process would end it."""
    weights, _ = read_weights(folder, architecture)
    before = {name: tensor.clone() for name, tensor in weights.items()}
    file = folder / "model.safetensors"
    with file.open("r+b") as opened:
        opened.seek(8000)
        opened.write(b"\xff" * (file.stat().st_size - 8000))
        opened.truncate(4000)
    assert all(torch.equal(weights[name], before[name]) for name in before)


def test_one_file_goes_before_an_index(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text("{")
    assert weight_files(folder) == (folder / "model.safetensors",)
    (folder / "model.safetensors").rename(folder / "other.safetensors")
    with pytest.raises(InputError, match="damaged index of weights"):
        weight_files(folder)
    (folder / "model.safetensors.index.json").unlink()
    with pytest.raises(InputError, match=r"no weights; expected model\.safetensors.*found other\.safetensors"):
        weight_files(folder)


@pytest.mark.parametrize("name", ["../other.safetensors", "/etc/passwd", "a/b.safetensors", "..", "", "x.bin"])
def test_an_index_names_files_of_its_folder_alone(folder: Path, name: str) -> None:
    (folder / "model.safetensors").rename(folder.parent / "other.safetensors")
    (folder / "x.bin").touch()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"tensor": name}}))
    with pytest.raises(InputError, match="invalid file name in the index of weights"):
        weight_files(folder)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=16), max_size=40),
    st.sampled_from([torch.float32, torch.bfloat16, torch.float16]),
)
def test_finite_means_every_value(values: list[float], dtype: torch.dtype) -> None:
    tensor = torch.tensor(values, dtype=dtype)
    assert is_finite(tensor) == bool(tensor.isfinite().all())
    assert is_finite(tensor[::2]) == bool(tensor[::2].isfinite().all())
