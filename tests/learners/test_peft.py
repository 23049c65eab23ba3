"""Methods of the peft library as learners: specifications, the backbone untouched, what they compute, what they say."""

from __future__ import annotations

import gc
import weakref
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

import learners.delta.peft_modules
from learners.backbones.backbone import Dtype, changed_tensor
from learners.backbones.library import library_model
from learners.delta.delta import Delta
from learners.delta.initial import initial_delta
from learners.delta.layout import delta_shapes
from learners.delta.peft_modules import MAX_MODELS, injected_model
from learners.forward.batches import evaluation_plan
from learners.forward.forward import logits
from learners.forward.peft_forward import peft_output
from learners.specification.family import LONGEST, parse_learner, parse_learners
from learners.training.fit import fit
from learners.training.predict import predict
from stream import run
from stream.verification import verify
from tasks.errors import InputError, InputErrors
from tests.loaded import backbone, batch_of, encoded, moved, new_backbone, score, sharp_backbone
from tests.runs import read_results, tiny_settings

installed = pytest.mark.skipif(
    find_spec("peft") is None, reason="peft is not installed: pip install 'taskstream[peft]'"
)
LORA = 'peft:{"peft_type":"LORA","r":4,"target_modules":["query","value"]}'
CANONICAL = "peft:config={peft_type=LORA,r=4,target_modules=[query,value]}"
QUICK = {"epochs": 1, "batch_size": 16}
DATA = encoded(classes=3, rows=32)
# One of each kind: what LoRA is not, what peft draws and freezes, copies of modules, tuned biases, one bank for all.
METHODS = (
    "peft",
    LORA,
    "peft:{peft_type=LORA,use_dora=true,r=2,target_modules=[query]}",
    "peft:{peft_type=LORA,bias=all,r=2,target_modules=[query]}",
    "peft:{peft_type=OFT,oft_block_size=4,target_modules=[query,value]}",
    "peft:{peft_type=VERA,r=4,target_modules=[query,value]}",
    "peft:{peft_type=RANDLORA,target_modules=[query]}",
    "peft:{peft_type=LN_TUNING,target_modules=[LayerNorm]}",
    "peft:{peft_type=VBLORA,vector_length=4,num_vectors=8,topk=2,target_modules=[query]}",
    "peft:{peft_type=IA3,target_modules=[key,value],feedforward_modules=[]}",
)


def test_one_configuration_has_one_name() -> None:
    same = (
        LORA,
        "peft:{peft_type=LORA,r=4,target_modules=[query,value]}",
        "peft:isolated:{ r: 4, target_modules: [query, value], peft_type: lora }",
        "peft:config={peft_type=LORA,r=4,target_modules=[query,value]}",
        CANONICAL,
    )
    assert {parse_learner(specification).name for specification in same} == {CANONICAL}
    with pytest.raises(InputErrors, match="the same learner twice"):
        parse_learners(f"{same[0]},{same[1]}")


def test_braces_hold_commas_and_colons_together() -> None:
    specifications = ("head", f"{LORA}:sequential:epochs=2", "topk:1", "lora:2+prefix:4", f"{LORA}:learning_rate=1e-3")
    learners = parse_learners(", ".join(specifications))
    assert tuple(learners) == specifications
    assert [learner.sharing for learner in learners.values()][1:3] == ["sequential", "isolated"]
    assert learners[specifications[4]].training.learning_rate == 1e-3


@pytest.mark.parametrize(
    ("specification", "expected"),
    [
        ("peft:{r=4}", "peft_type"),
        ("peft:{peft_type=LORA", "a JSON object"),
        ("peft:config=LORA", "a JSON object"),
        ("peft:{peft_type=LORA,target_modules=a/b}", "names a folder"),
        ("peft:{peft_type=LORA,target_modules=é}", "names a folder"),
        ("peft:{peft_type=LORA,target_modules=" + "x" * LONGEST + "}", f"at most {LONGEST}"),
        (f"{LORA}+lora:4", "joined"),
    ],
)
def test_what_cannot_be_a_learner_is_told_when_it_is_read(specification: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        parse_learner(specification)


@installed
@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("{peft_type=LARO}", "unknown peft_type 'LARO'"),
        ("{peft_type=LORA,rank=4}", "unexpected keyword argument 'rank'"),
        ("{peft_type=LORA,target_modules=[nowhere]}", "nowhere"),
        ("{peft_type=PREFIX_TUNING,num_virtual_tokens=4}", "use our own learner: prefix:30"),
        ("{peft_type=PROMPT_TUNING,num_virtual_tokens=4}", "use our own learner: prompt:20"),
        ("{peft_type=P_TUNING,num_virtual_tokens=4}", "use our own learner: prompt:20"),
    ],
)
def test_what_peft_refuses_is_told_before_a_backbone_is_needed(config: str, expected: str) -> None:
    with pytest.raises(InputError) as refused:
        delta_shapes(parse_learner(f"peft:{config}"), backbone().architecture, 2)
    assert expected in str(refused.value)
    assert refused.value.where == f"learner peft:{parse_learner(f'peft:{config}').peft}"


@installed
@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("{peft_type=LORA,init_lora_weights=pissa,r=2,target_modules=[query]}", "change frozen weight"),
        ("{peft_type=POLY,target_modules=[query]}", "task_ids"),
    ],
)
def test_what_shows_on_the_backbone_alone_is_refused_and_leaves_it_whole(config: str, expected: str) -> None:
    base = backbone()
    with pytest.raises(InputError, match=expected):
        fit(base, parse_learner(f"peft:{config}", QUICK), DATA, score, 0)
    assert changed_tensor(base) is None


def test_without_peft_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners.delta.peft_modules, "find_spec", lambda name: None)
    learner = parse_learner("peft:{peft_type=LORA,r=3}")
    with pytest.raises(InputError, match=r"peft is not installed.*pip install 'taskstream\[peft\]'"):
        delta_shapes(learner, backbone().architecture, 2)


@installed
@pytest.mark.parametrize("specification", METHODS)
def test_it_trains_what_it_declares_and_nothing_else(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification, {**QUICK, "epochs": 2})
    declared = delta_shapes(learner, base.architecture, 3)
    first = initial_delta(base, learner, DATA.task, seed=0)
    found = fit(base, learner, DATA, score, 0).delta
    assert {name: tuple(tensor.shape) for name, tensor in found.tensors.items()} == declared
    assert all(name.startswith(("added.peft.", "head.")) for name in declared)
    assert any(
        not torch.equal(first.tensors[name], tensor) for name, tensor in found.tensors.items() if "head" not in name
    )
    assert changed_tensor(base) is None
    assert not any(weight.requires_grad or weight.grad is not None for weight in base.computed.values())
    assert not any(module.training for module in injected_model(base, learner.peft).modules())


@installed
@pytest.mark.parametrize("specification", METHODS)
def test_a_delta_is_all_that_a_prediction_needs(specification: str) -> None:
    """Another process, with a backbone of its own and other random numbers drawn, answers bit for bit the same."""
    learner, plan = parse_learner(specification), evaluation_plan(DATA.test)
    one, other = new_backbone(), new_backbone()
    delta = moved(one, learner, DATA.task)
    expected = predict(one, learner, delta, DATA.test, plan)
    torch.rand(1000)
    found = predict(other, learner, delta, DATA.test, plan)
    assert found.tobytes() == expected.tobytes()
    assert (
        found.tobytes()
        != predict(other, learner, initial_delta(other, learner, DATA.task, 0), DATA.test, plan).tobytes()
    )


@installed
@pytest.mark.parametrize("active", [False, True])
def test_it_agrees_with_our_lora_from_the_same_weights(active: bool) -> None:
    """Outputs and gradients; with the backbone's dropout the same places are dropped."""
    base, ours, theirs = sharp_backbone(), parse_learner("lora:4:alpha=8"), parse_learner(LORA)
    delta = moved(base, ours, DATA.task)
    names = {
        f"added.lora.attention.{role}.{layer}.{letter}": f"added.peft.encoder.layer.{layer}.attention.self.{role}."
        f"lora_{letter}.default.weight"
        for role in ("query", "value")
        for layer in range(2)
        for letter in "AB"
    }
    same = {names.get(name, name): tensor for name, tensor in delta.tensors.items()}
    assert set(same) == set(delta_shapes(theirs, base.architecture, 3))
    answers, gradients = [], []
    for learner, tensors in ((ours, dict(delta.tensors)), (theirs, same)):
        trainable = {name: tensor.clone().requires_grad_() for name, tensor in tensors.items()}
        torch.manual_seed(0)
        answer = logits(base, learner, trainable, batch_of(base, DATA), dropout=active)
        answer.square().sum().backward()
        answers.append(answer.detach())
        gradients.append({name: leaf.grad for name, leaf in trainable.items()})
    assert torch.allclose(*answers, rtol=0, atol=1e-6)
    for name, gradient in gradients[0].items():
        assert gradient is not None
        assert torch.allclose(gradient, gradients[1][names.get(name, name)], rtol=1e-4, atol=1e-6)
        assert gradient.abs().max() > 0


@installed
def test_dropout_of_peft_acts_in_training_alone() -> None:
    base = new_backbone()
    learner = parse_learner("peft:{peft_type=LORA,lora_dropout=0.5,target_modules=[query,value]}")
    for module in injected_model(base, learner.peft).modules():
        if isinstance(module, torch.nn.Dropout) and module.p != 0.5:
            module.p = 0.0  # the encoder's own

    def answer(training: bool) -> torch.Tensor:
        tensors = moved(base, learner, DATA.task).tensors
        with torch.no_grad():
            return logits(base, learner, tensors, batch_of(base, DATA), dropout=training)

    first = answer(training=False)
    assert not torch.equal(answer(training=True), answer(training=True))
    assert torch.equal(answer(training=False), first)


@installed
@pytest.mark.parametrize(("model_type", "pooling"), [("bert", "cls"), ("bert", "mean"), ("distilbert", "cls")])
def test_a_method_at_its_start_gives_what_the_library_gives(model_type: str, pooling: str) -> None:
    base, learner = backbone(model_type, pooling), parse_learner("peft:{peft_type=LORA,target_modules=[query,q_lin]}")
    batch, tensors = batch_of(base, DATA), initial_delta(base, learner, DATA.task, 0).tensors
    hidden, vector = peft_output(base, learner, tensors, batch, dropout=False)
    expected = library_model(base)(**batch)
    assert torch.equal(hidden, expected.last_hidden_state)
    assert (vector is None) == (not base.architecture.pooler)
    assert vector is None or torch.equal(vector, expected.pooler_output)


@installed
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_encoder_shares_the_frozen_weights_and_goes_with_its_backbone(dtype: Dtype) -> None:
    base = new_backbone(dtype=dtype)
    model = injected_model(base, parse_learner(LORA).peft)
    assert injected_model(base, parse_learner(CANONICAL).peft) is model
    own = {weight.data_ptr() for weight in base.computed.values()}
    frozen = [parameter for parameter in model.parameters() if not parameter.requires_grad]
    assert len(frozen) == len(own)
    assert {parameter.data_ptr() for parameter in frozen} == own
    gone = weakref.ref(base), weakref.ref(model)
    del base, model, frozen, own
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


@installed
def test_of_many_methods_those_asked_for_last_are_kept() -> None:
    base = new_backbone()
    configs = [f"{{peft_type=LORA,r={r},target_modules=[query]}}" for r in range(1, MAX_MODELS + 2)]
    first, second = (injected_model(base, config) for config in configs[:2])
    assert injected_model(base, configs[0]) is first
    for config in configs[2:]:
        injected_model(base, config)
    assert injected_model(base, configs[0]) is first, "asked for again, and so not the oldest"
    gone = weakref.ref(second)
    del second
    gc.collect()
    assert gone() is None


@installed
def test_what_was_made_while_predicting_can_be_trained() -> None:
    base, learner = new_backbone(), parse_learner("peft:{peft_type=RANDLORA,target_modules=[query]}", QUICK)
    with torch.inference_mode():
        logits(base, learner, initial_delta(base, learner, DATA.task, 0).tensors, batch_of(base, DATA))
    fit(base, learner, DATA, score, 0)


@installed
def test_draws_follow_names() -> None:
    base, learner = backbone(), parse_learner(LORA)

    def first(seed: int, data: Any = DATA) -> Delta:
        return initial_delta(base, learner, data.task, seed)

    assert first(0).id == first(0).id
    bodies = [{k: t for k, t in delta.tensors.items() if ".lora_A." in k} for delta in (first(0), first(1))]
    bodies.append({k: t for k, t in first(0, encoded("rte")).tensors.items() if ".lora_A." in k})
    for one, other in ((0, 1), (0, 2)):
        assert all(not torch.equal(bodies[one][name], bodies[other][name]) for name in bodies[0])


@installed
def test_through_a_rounded_backbone() -> None:
    base, learner = backbone(dtype="bfloat16"), parse_learner(LORA, QUICK)
    delta = fit(base, learner, DATA, score, 0).delta
    assert all(tensor.dtype == torch.float32 for tensor in delta.tensors.values())
    whole = logits(backbone(), learner, delta.tensors, batch_of(base, DATA))
    assert torch.allclose(logits(base, learner, delta.tensors, batch_of(base, DATA)), whole, atol=0.05)


@installed
def test_in_a_run_nothing_is_forgotten(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    isolated, sequential = LORA, "peft:{peft_type=OFT,oft_block_size=4,target_modules=[query]}:sequential"
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", learners=f"{isolated},{sequential}")
    run(**settings)
    results = read_results(tmp_path / "run")["learners"]
    assert set(results) == {isolated, sequential}
    assert (tmp_path / "run" / results[isolated]["folder"] / "R.csv").is_file()
    assert results[isolated]["retention"]["verified"]
    rows = results[isolated]["R"][1:]
    assert all(row[:arrival] == [rows[t][t] for t in range(arrival)] for arrival, row in enumerate(rows, start=1))
    assert set(results[isolated]["cost"]["trained_parameters_per_task"].values()) == {2 * 2 * 4 * (16 + 16)}
    assert verify(tmp_path / "run", rerun=None).passed
