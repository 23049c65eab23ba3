"""Exports, loaded by the real libraries in a process without this package: logits, answers, warnings, refusals."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from learners.backbones.backbone import Backbone, load_backbone
from learners.backbones.locate import PACKAGES
from learners.export.classifier import has_classifier
from learners.export.peft_base import reference
from learners.forward.batches import evaluation_plan
from learners.specification.family import parse_learner
from learners.training.predict import predict
from stream.cli.export import write_model
from tasks.encode import encode_split
from tasks.encoded import EncodedTask
from tasks.examples import Examples
from tasks.task import Task
from tests.loaded import moved, new_backbone
from tests.loopback import COMMIT
from tests.worlds import SIZES, save_backbone

LENGTH = 12  # tokens of a row; the longest text is cut
TEXTS = ("ash red birch", "oak blue pine rowan yew elm cedar fir ash red old slow", "gold", "calm loud keen . swift ?")
SECOND = ("elm red", "fir", "birch dim old slow", "yew")
TASKS = {
    "single": Task("trees", "Trees", "single", labels=("ash", "elm", "oak")),
    "pair": Task("pairs", "Pairs", "pair", labels=("same", "other")),
    "regression": Task("stars", "Stars", "regression", labels=()),
}
OFT = "peft:{peft_type=OFT,oft_block_size=4,target_modules=[query,q_lin]}"
BARE = "peft:{peft_type=LORA,r=2}"  # peft itself chooses the modules
PACKAGED = ("embedded", "minilm")
HUB = "some-one/tiny"


@dataclass(frozen=True)
class Case:
    """An export. `backbone` is a model type with its pooling, a name of `PACKAGED`, or `hub:` and the pooling."""

    backbone: str
    learner: str
    form: str = "modules"
    task: str = "single"

    def __str__(self) -> str:
        return f"{self.backbone}-{self.learner}-{self.form}-{self.task}"


CASES = (
    # every class that computes the head, and mean pooling
    Case("bert/cls", "lora:2", "merged"),
    Case("bert/mean", "lora:2", "merged"),
    Case("bert/mean", "head", "merged", "regression"),
    Case("roberta/cls", "bitfit", "merged", "pair"),
    Case("distilbert/cls", "layernorm", "merged"),
    Case("electra/cls", "ia3", "merged", "regression"),
    Case("deberta-v2/cls", "lora-ffn:2", "merged", "pair"),
    Case("modernbert/cls", "lora:2", "merged"),
    Case("modernbert/mean", "full:isolated", "merged", "regression"),
    # modules, with all that a load must restore: hooks, shared places, a prompt, more layers, buffers of the encoder
    Case("bert/cls", "adapter:4"),
    Case("bert/mean", "prefix:3+vera:4", task="pair"),
    Case("roberta/cls", "prompt:2+lora:2:trained_scale=yes"),
    Case("deberta-v2/mean", "parallel:4:trained_scale=yes", task="pair"),
    Case("modernbert/cls", "feature:2+ia3", task="regression"),
    # peft: a base beside it that is plain, or of our class, or an encoder; and a base from the hub
    Case("bert/cls", "lora:2", "peft"),
    Case("bert/mean", "ia3", "peft", "pair"),
    Case("bert/mean", "prompt:2", "peft"),
    Case("distilbert/cls", OFT, "peft"),
    Case("bert/mean", BARE, "peft", "regression"),
    Case("deberta-v2/cls", "lora:2", "peft", "pair"),
    Case("hub/cls", "lora:2", "peft"),
    Case("hub/mean", "lora:2", "peft", "pair"),
    # real sizes
    Case("embedded", "lora:8", "merged"),
    Case("embedded", "mam", task="pair"),
    Case("embedded", "lora:8", "peft", "regression"),
    Case("minilm", "adapter:8", task="pair"),
)


def possible(case: Case) -> bool:
    """Whether this machine has the library and the weights."""
    installed = case.backbone != "minilm" or any(find_spec(name) for name in PACKAGES)
    return installed and (find_spec("peft") is not None or not (case.form == "peft" or "peft" in case.learner))


@cache
def backbone_of(name: str, cache_folder: Path) -> Backbone:
    if name in PACKAGED:
        return load_backbone(name)
    model_type, _, pooling = name.partition("/")
    if model_type != "hub":
        folder = save_backbone(cache_folder.with_name("backbones") / pooling / model_type, model_type, pooling=pooling)
        return replace(load_backbone(str(folder)), name=f"/tmp/{model_type}")
    home = cache_folder / f"models--some-one--tiny{pooling}"
    save_backbone(home / "snapshots" / COMMIT, pooling=pooling)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMIT)
    return replace(load_backbone(str(home / "snapshots" / COMMIT)), name=f"{HUB}{pooling}", commit=COMMIT)


def exported(case: Case, base: Backbone, folder: Path) -> np.ndarray:
    """Export a Delta as after training. Returns the logits of the texts, as this package computes them."""
    task, learner = TASKS[case.task], parse_learner(case.learner)
    delta = moved(base, learner, task, 0.1 if SIZES["hidden_size"] == base.architecture.hidden else 0.02)
    second = None if case.task == "single" else SECOND
    rows = encode_split(Examples(TEXTS, second, np.zeros(len(TEXTS), int)), base.tokenizer, LENGTH, task.name)
    data = EncodedTask(task, rows, rows, rows, "", LENGTH, (), Path())
    folder.mkdir()
    write_model(folder, base, learner, data, delta, case.form, case.learner, None)
    return predict(base, learner, delta, rows, evaluation_plan(rows))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Case, tuple[np.ndarray, dict[str, Any], Path]]:
    """Per case: the logits of this package, what the other process found in the folder after a move, and the folder."""
    place = tmp_path_factory.mktemp("exports")
    cases = [case for case in CASES if possible(case)]
    (place / "written").mkdir()
    expected = [
        exported(case, backbone_of(case.backbone, place / "hub"), place / "written" / str(number))
        for number, case in enumerate(cases)
    ]
    folders = (place / "written").rename(place / "moved")
    given = [
        {"folder": f"{folders}/{number}", "texts": TEXTS, "texts_b": None if case.task == "single" else SECOND}
        for number, case in enumerate(cases)
    ]
    more = {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(place / "hub"), "HF_MODULES_CACHE": str(place / "code")}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | more
    program = [sys.executable, str(Path(__file__).with_name("load_exports.py")), str(place / "found.json")]
    done = subprocess.run(
        program,
        input=json.dumps(given),
        env=environment,
        cwd=place / "hub",
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((place / "found.json").read_text())
    return {c: (e, f, folders / str(n)) for n, (c, e, f) in enumerate(zip(cases, expected, found, strict=True))}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_other_programs_compute_the_same(
    case: Case, loaded: Mapping[Case, tuple[np.ndarray, dict[str, Any], Path]]
) -> None:
    if not possible(case):
        pytest.skip("needs the extra peft or minilm")
    expected, found, folder = loaded[case]
    assert "error" not in found, found.get("error")
    np.testing.assert_allclose(found["logits"], expected, atol=1e-5, rtol=0)
    if case.backbone.startswith("hub"):
        new = {name for line in found["warnings"] for name in re.findall(r"^([\w.]+) +\| MISSING", line, re.MULTILINE)}
        heads = {"classifier.weight", "classifier.bias"}  # which the adapter replaces
        assert new == (set() if found["answers"] is None else heads)
    else:
        assert found["warnings"] == []
    if found["answers"] is None:
        assert (folder / "head.safetensors").exists(), "who does not read it has no head at all"
        return
    task, logits = TASKS[case.task], torch.from_numpy(expected)
    scores = logits if case.task == "regression" else torch.softmax(logits, -1)
    labels = [(task.labels or ("score",))[index] for index in logits.argmax(-1)]
    assert [answer["label"] for answer in found["answers"]] == labels
    assert [answer["score"] for answer in found["answers"]] == pytest.approx(scores.max(-1).values.tolist(), abs=1e-5)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_needs_our_class_cannot_be_mistaken(
    case: Case, loaded: Mapping[Case, tuple[np.ndarray, dict[str, Any], Path]]
) -> None:
    """Without `trust_remote_code` it is refused: the export, or the base of an adapter."""
    if not possible(case):
        pytest.skip("needs the extra peft or minilm")
    _, found, folder = loaded[case]
    name, _, pooling = case.backbone.partition("/")
    own = case.form == "modules" or pooling != "cls" or name == "modernbert"
    if case.form == "peft":
        own = own and name != "hub" and not case.learner.startswith("prompt")
    inside = folder / "base" if case.form == "peft" else folder
    assert bool(list(inside.glob("*.py"))) == own
    assert ("trust_remote_code=True" in found["refused"]) if own else (found["refused"] is None)


def test_a_base_without_its_adapter_cannot_be_mistaken(
    loaded: Mapping[Case, tuple[np.ndarray, dict[str, Any], Path]],
) -> None:
    """All classes have the same probability."""
    bases = [found["base"] for _, found, _ in loaded.values() if found["base"] is not None]
    assert len(bases) >= (4 if find_spec("peft") else 0)
    assert not np.any([np.any(base) for base in bases])


def test_a_head_of_too_many_classes_needs_our_class() -> None:
    """The classes of DistilBERT, ELECTRA and DeBERTa have room for half as many as the encoder is wide."""
    base = new_backbone("distilbert")
    assert [has_classifier(base, outputs) for outputs in (1, 8, 9)] == [True, True, False]
    assert has_classifier(new_backbone("bert"), 9)


@pytest.mark.parametrize("name", ["embedded", "minilm", "someone/encoder"])
def test_what_others_call_a_backbone_is_no_path_of_this_machine(name: str, tmp_path: Path) -> None:
    base = new_backbone()
    assert reference(replace(base, name=name)) == name
    (tmp_path / "mine").mkdir()
    assert reference(replace(base, name=str(tmp_path / "mine"), folder=tmp_path / "mine")) == "mine"
