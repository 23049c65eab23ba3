"""The class of exports that hold a Delta as modules computes what this package computes, for every built-in learner."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from learners.delta.delta import Delta
from learners.delta.merge import tuned_weights, unmergeable
from learners.export.modeling.modeling_taskstream import TaskstreamConfig
from learners.export.modeling.modeling_taskstream_delta import TaskstreamDeltaForSequenceClassification
from learners.export.modules import modules_of, unbuildable
from learners.export.peft import unsayable
from learners.export.transformers import head_of, own_config, own_state
from learners.forward.forward import logits
from learners.specification.family import built_in, parse_learner
from tests.loaded import backbone, batch_of, encoded, moved, sharp_backbone
from tests.worlds import ARCHITECTURES, NEW_ARCHITECTURES, SIZES, applies

SPECIFICATIONS = sorted({s for family in built_in().values() for s in (family.name, *family.examples)})
COMBINED = (
    "adapter:4:insertion=parallel:composition=multiply:inner_norm=bottleneck",
    "adapterbias+parallel:4:trained_scale=yes",
    "prefix:3:gate=no+vera:4:matrices=qkvo",
    "prompt:2+lora:2:trained_scale=yes+pfeiffer:4:wiring=code",
    "feature:2+mhpa:3+ia3",
)
WORLDS = tuple((name, pooling) for name in (*ARCHITECTURES, *NEW_ARCHITECTURES) for pooling in ("cls", "mean"))


def _lives() -> list[tuple[str, str, str]]:
    """Each learner on two of the backbones, in turn."""
    chosen = [s for s in (*SPECIFICATIONS, *COMBINED) if not unbuildable(parse_learner(s))]
    deep = [
        s for s in chosen if max((p := parse_learner(s)).tuned.top_layers, p.layers_read) <= SIZES["num_hidden_layers"]
    ]
    lives = []
    for turn, specification in enumerate(deep):
        fitting = [world for world in WORLDS if applies(specification, world[0])]
        lives += [(specification, *fitting[(turn + step) % len(fitting)]) for step in (0, len(fitting) // 2)]
    return lives


@pytest.mark.parametrize(("specification", "model_type", "pooling"), _lives())
def test_the_class_of_the_export_computes_the_same(specification: str, model_type: str, pooling: str) -> None:
    base, learner, data = (
        sharp_backbone(model_type, pooling),
        parse_learner(specification),
        encoded(classes=3, kind="pair"),
    )
    delta = moved(base, learner, data.task, 0.3)
    batch = batch_of(base, data)
    modules = modules_of(learner, delta, base.architecture)
    config = own_config(base, data.task, modules)
    with torch.random.fork_rng(devices=[]):
        model = TaskstreamDeltaForSequenceClassification(TaskstreamConfig(**config)).eval()
    model.load_state_dict(own_state(config, tuned_weights(base, delta), head_of(delta), modules))  # no name is missing
    with torch.inference_mode():
        np.testing.assert_allclose(
            model(**batch).logits, logits(base, learner, delta.tensors, batch), atol=1e-5, rtol=0
        )
        bare = Delta({**delta.tensors, **{name: t * 0 for name, t in delta.tensors.items() if "added" in name}})
        seen = logits(base, learner, bare.tensors, batch)
    if modules.tensors:  # else a class without modules would pass
        assert (model(**batch).logits - seen).abs().max() > 1e-3


def test_every_built_in_learner_has_a_format() -> None:
    """But the majority class, which trains no model, and the learner that reads words."""
    shape = backbone().architecture
    for family in built_in().values():
        for specification in (family.name, *family.examples):
            learner = parse_learner(specification)
            reasons = (unmergeable(learner, shape), unbuildable(learner), unsayable(learner, shape))
            assert all(reasons) == (family.name in ("majority", "nobert")), specification


def test_a_form_of_a_plugin_is_refused() -> None:
    """Its formula is unknown to the class of the export. This holds for a subclass of a known form, too."""
    learner = parse_learner("adapter:4")
    (first, second) = learner.modifications
    known = type(first.form)
    mine = type("Mine", (known,), {})(4)
    assert unbuildable(learner) == ""
    changed = replace(learner, modifications=(first, replace(second, form=mine)))
    assert unbuildable(changed) == "the form Mine is not one of this package"
