"""What every registered learner must satisfy, on every architecture, and that registering takes one file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import learners.methods
from learners.backbones.architecture import parameter_shapes
from learners.backbones.backbone import Backbone, changed_tensor
from learners.backbones.published import KNOWN_CONFIGS, known_architecture
from learners.delta.delta import Delta, load_delta, save_delta
from learners.delta.initial import initial_delta
from learners.delta.layout import delta_shapes
from learners.forward.batches import evaluation_plan
from learners.specification.family import TRAINING_OPTIONS, Family, built_in, families, parse_learner, parse_learners
from learners.specification.learner import Learner, peak_rate
from learners.specification.option import option_text
from learners.specification.packable import why_unpacked
from learners.training.fit import fit
from learners.training.predict import predict
from learners.training.predict_mixed import predict_mixed
from learners.training.result import Fit
from stream.avalanche.session import Session
from stream.cli.show import show
from tasks.encoded import EncodedTask
from tasks.errors import InputError
from tests.conformance.plugged import plugged
from tests.loaded import backbone, encoded, score
from tests.worlds import ARCHITECTURES, SIZES

QUICK = {"epochs": 1, "batch_size": 16}
DEPTH = SIZES["num_hidden_layers"]
with plugged():
    FAMILIES = families()
    SPECIFICATIONS = sorted({s for family in FAMILIES.values() for s in (family.name, *family.examples)})
    RUNNABLE = [s for s in SPECIFICATIONS if max((p := parse_learner(s)).tuned.top_layers, p.layers_read) <= DEPTH]
    SEQUENTIAL = [s for s in RUNNABLE if parse_learner(s).sharing == "sequential"]
# Each on one architecture, in turn, so that a family's name and its examples meet several; shapes are compared on all.
LIVES = [(s, ARCHITECTURES[turn % len(ARCHITECTURES)]) for turn, s in enumerate(RUNNABLE)]
KINDS = {
    "single": encoded("three", classes=3, rows=32),
    "pair": encoded("pair", rows=32, kind="pair"),
    "regression": encoded("stars", classes=4, rows=32, kind="regression"),
}


def learned(base: Backbone, learner: Learner, *stream: EncodedTask) -> Fit:
    """The fit of the last of these tasks, which goes on from those before if the learner does."""
    previous: Delta | None = None
    trainer = Session(base, learner, 0, stream, lambda task: score) if learner.trainer == "avalanche" else None
    for data in stream:
        found = trainer.learn(data) if trainer else fit(base, learner, data, score, 0, previous)
        previous = found.delta
    return found


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_describes_itself(family: Family, capsys: pytest.CaptureFixture[str]) -> None:
    assert all((family.title, family.summary, family.citation, family.examples))
    options = {option.name: option for option in family.options}
    assert len(options) == len(family.options)
    assert not set(options) & {option.name for option in TRAINING_OPTIONS}
    assert set(family.positional) <= set(options)
    assert all(option.help for option in family.options)
    assert any(s.split(":")[0] == family.name for s in family.examples)
    show("learner", family.name, "json")
    document = json.loads(capsys.readouterr().out)
    assert document["citation"] == family.citation
    assert set(document["options"]) == set(options)
    architecture = known_architecture(document["parameters"]["backbone"])
    assert document["training"]["learning_rate"] == peak_rate(family.training, architecture.hidden)
    show("learner", family.name, "plain")
    assert family.title.split()[0] in capsys.readouterr().out


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_every_default_is_a_value_that_can_be_written(family: Family) -> None:
    bare = parse_learner(family.name)
    assert parse_learner(bare.name) == bare
    for option in family.options:
        assert option.parse(option_text(option.default)) == option.default
        with pytest.raises(ValueError, match=r"\w"):
            option.parse("no such value")


@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_shapes_on_every_known_encoder(specification: str) -> None:
    learner = parse_learner(specification)
    assert parse_learner(learner.name) == learner
    assert list(parse_learners(specification)) == [specification]
    assert learner.family == specification.split(":")[0]
    for name in KNOWN_CONFIGS:
        architecture = known_architecture(name)
        every = parameter_shapes(architecture)
        try:
            shapes = delta_shapes(learner, architecture, 5)
        except InputError as error:
            refusal = str(error)
        else:
            refusal = ""
        if refusal:  # tests/learners/test_architectures.py says who is refused, and why
            assert architecture.model_type not in ARCHITECTURES, refusal
            assert refusal.startswith("learner "), refusal
            continue
        assert shapes["head.bias"] == (5,)
        for tensor, shape in shapes.items():
            part, rest = tensor.split(".", 1)
            assert part in ("backbone", "difference", "added", "head")
            assert part != "backbone" or every[rest] == shape


@pytest.mark.parametrize(("specification", "model_type"), LIVES)
def test_fit_predict_store(specification: str, model_type: str, tmp_path: Path) -> None:
    """The whole life of a Delta; pooling and kind of task go round with the architecture."""
    turn = ARCHITECTURES.index(model_type)
    base = backbone(model_type, ("cls", "mean")[turn % 2])
    data = KINDS[tuple(KINDS)[turn % len(KINDS)]]
    pruned = parse_learner(specification).pruning is not None  # which wants an epoch after pruning
    learner = parse_learner(specification, {**QUICK, "epochs": 2} if pruned else QUICK)
    plan = evaluation_plan(data.test)
    declared = delta_shapes(learner, base.architecture, data.task.outputs)
    if learner.trains:
        first = initial_delta(base, learner, data.task, seed=0)
        assert {name: tuple(t.shape) for name, t in first.tensors.items()} == declared
    found = learned(base, learner, data)
    delta = found.delta
    assert {name: tuple(t.shape) for name, t in delta.tensors.items()} == declared
    assert all(t.dtype == torch.float32 and t.isfinite().all() for t in delta.tensors.values())
    assert delta.counts.head == sum(t.numel() for n, t in delta.tensors.items() if n.startswith("head."))
    if learner.trains:
        assert delta.id != first.id
        assert found.flops > 0
        moved = [name for name, t in delta.tensors.items() if not torch.equal(t, first.tensors[name])]
        assert any(not name.startswith("head.") for name in moved) == (delta.counts.without_head > 0)
    output = predict(base, learner, delta, data.test, plan)
    assert output.shape == (len(data.test), data.task.outputs)
    path = tmp_path / "delta.safetensors"
    assert save_delta(delta, path) == path.stat().st_size
    again = load_delta(path, expected=delta.id, digests=delta.digests)
    assert (again.id, again.counts, again.pruned) == (delta.id, delta.counts, delta.pruned)
    assert predict(base, learner, again, data.test, plan).tobytes() == output.tobytes()
    if not why_unpacked(learner, base.architecture):
        mixed = predict_mixed(base, learner, [delta, delta], [data.test, data.validation])
        np.testing.assert_allclose(mixed[0], output, atol=1e-4)
    assert changed_tensor(base) is None


@pytest.mark.parametrize("specification", SEQUENTIAL)
def test_a_sequential_learner_goes_on(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification, QUICK)
    first = learned(base, learner, KINDS["single"]).delta
    second = learned(base, learner, KINDS["single"], KINDS["pair"]).delta
    assert second.id != learned(base, learner, KINDS["pair"]).delta.id
    earlier = second.with_head(first, KINDS["single"].task.name)
    plan = evaluation_plan(KINDS["single"].test)
    assert predict(base, learner, earlier, KINDS["single"].test, plan).shape == (16, 3)


def test_a_new_learner_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pooler_only.py").write_text(
        "from learners.specification.family import Family\n"
        "from learners.specification.learner import Learner, Training\n"
        "from learners.specification.tuned import Tuned\n"
        "FAMILY = Family(name='pooler', title='Pooler', summary='The pooler alone.', citation='none',\n"
        "    training=Training(learning_rate=1e-3),\n"
        "    build=lambda options, training: Learner(name='', family='pooler', training=training,\n"
        "                                            tuned=Tuned(pooler=True)))\n"
    )
    monkeypatch.setattr(learners.methods, "__path__", [*learners.methods.__path__, str(tmp_path)])
    built_in.cache_clear()
    try:
        learner = parse_learner("pooler", QUICK)
        found = fit(backbone(), learner, KINDS["single"], score, 0)
        assert found.delta.counts.backbone == 16 * 16 + 16
    finally:
        monkeypatch.undo()
        built_in.cache_clear()
    assert "pooler" not in families()
