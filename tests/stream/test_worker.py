"""What a worker carries over from the run before: an equal backbone, and nothing else."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from learners.backbones.backbone import load_backbone
from stream.execution.workbench import Setup
from stream.execution.worker import _next_workbench
from tests.worlds import save_backbone


@pytest.fixture
def setup(tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    monkeypatch.setattr(gc, "freeze", lambda: None)  # the tests' own process lives on
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    return Setup(
        backbone=str(tiny_backbone), backbone_id=load_backbone(str(tiny_backbone)).id, dtype="float32",
        learners=("head",), overrides={}, data={}, store=str(tmp_path), seed=0, train_examples=None, test_examples=None,
    )  # fmt: skip


def test_an_equal_backbone_is_not_loaded_again(setup: Setup) -> None:
    first = _next_workbench(setup, None)
    second = _next_workbench(replace(setup, learners=("layernorm",), seed=1), first)
    assert second.backbone is first.backbone
    assert (second.setup.seed, *second.learners) == (1, "layernorm")


def test_another_backbone_or_dtype_is_loaded(setup: Setup, tmp_path: Path) -> None:
    first = _next_workbench(setup, None)
    half = _next_workbench(replace(setup, dtype="bfloat16"), first)
    assert half.backbone.dtype == torch.bfloat16
    folder = str(save_backbone(tmp_path / "other", seed=5))
    other = _next_workbench(replace(setup, backbone=folder, backbone_id=load_backbone(folder).id), first)
    assert other.backbone.id != first.backbone.id


def test_nothing_of_the_run_before_is_kept(setup: Setup) -> None:
    first = _next_workbench(setup, None)
    for held in (first.trainer_states, first.activation_cache.states, first.opened):
        held["left"] = None  # type: ignore[index, assignment]
    _next_workbench(setup, first)
    assert (first.trainer_states, first.activation_cache.states, first.opened) == ({}, {}, {})
