"""`taskstream export`: what it writes is read by plain transformers and peft, and answers as the run recorded."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import learners.export.peft
import learners.export.readme
from learners.backbones.backbone import load_backbone
from stream import run
from stream.execution.evaluate_job import scorer
from tasks.content import content_id
from tasks.sources import open_source
from tests.runs import Answer, call, deltas_of, events_of, read_results, tiny_settings
from tests.worlds import save_backbone

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # peft asks for it
installed = pytest.mark.skipif(
    find_spec("peft") is None, reason="peft is not installed: pip install 'taskstream[peft]'"
)
TASKS = ("colours", "rte", "stsb")
MERGED = ("full:sequential", "bitfit", "adapterbias", "lora:2", "lora-ffn:2:alpha=4", "ia3")
OFT = "peft:{peft_type=OFT,oft_block_size=4,target_modules=[query,q_lin]}"
PEFT = ("lora:2", "lora-ffn:2:alpha=4", "ia3", "prompt:3", OFT)
MODULES = ("adapter:4", "prompt:3", "lora:2")  # the last only if asked for
OTHERS = ("majority", "nobert:words")


class Exported(NamedTuple):
    """A run, and where its tasks lie."""

    out: Path
    tasks: Path

    def export(self, learner: str, task: str, to: Path, *more: str) -> Answer:
        return call("export", str(self.out), "--learner", learner, "--task", task, "--to", str(to), *more)


@pytest.fixture(scope="module")
def finished(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A BERT with pooler, learners of all kinds, three kinds of task."""
    names = ",".join(dict.fromkeys((*MERGED, *(PEFT if find_spec("peft") else PEFT[:-1]), *MODULES, *OTHERS)))
    return finished_run(tiny_tasks, tiny_backbone, tmp_path_factory.mktemp("exported") / "run", names, TASKS)


def finished_run(tasks: Path, backbone: Path, out: Path, names: str, suite: tuple[str, ...]) -> Exported:
    run(
        **tiny_settings(
            tasks, backbone, out, learners=names, suite=",".join(suite), learning_rate=3e-2, evaluate="audited"
        )
    )
    return Exported(out, tasks)


def load_id(of: Exported) -> str:
    return str(read_results(of.out)["backbone"]["id"])


def program(folder: Path) -> str:
    """The program in the README of a folder, without the paragraph in which its reader says what for."""
    (text,) = re.findall(r"```python\n(.*?)\n```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    imports, _, rest = text.split("\n\n", 2)
    return f"{imports}\n{rest}"


def answers_as_recorded(of: Exported, learner: str, task: str, folder: Path) -> None:
    """Run the program of the README on the test texts, and compare with the newest cell in the ledger."""
    data = open_source(f"folder:{of.tasks}", {}).load(task)
    texts = {"texts": list(data.test.text), "texts_b": None if data.test.text_b is None else list(data.test.text_b)}
    backbone = read_results(of.out)["backbone"]["name"]
    space: dict[str, Any] = {"folder": str(folder), **texts}
    for file in folder.rglob("*"):
        assert file.is_dir() or str(Path(backbone).parent).encode() not in file.read_bytes(), (
            f"{file}: a machine's path"
        )
    exec(program(folder), space)
    logits = space["logits"].numpy()
    rows = [*events_of(of.out, "evaluate"), *events_of(of.out, "audit")]
    cell = [cell for row in rows if row["learner"] == learner for cell in row["cells"] if cell["task"] == task][-1]
    assert scorer(data.task)(np.asarray(data.test.target), logits) == pytest.approx(cell["score"], abs=1e-6)
    if data.task.kind != "regression":  # whose predictions are the logits, to the last bit
        predictions = logits.argmax(axis=1)
        assert content_id("predictions", str(predictions.shape), predictions.tobytes()) == cell["predictions"]


def pairs(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Each learner on one kind of task, in turn, and the first on all."""
    return [*((names[0], task) for task in TASKS), *((n, TASKS[turn % 3]) for turn, n in enumerate(names[1:]))]


@pytest.mark.parametrize(("learner", "task"), pairs(MERGED))
def test_plain_transformers_answers_as_recorded(finished: Exported, learner: str, task: str, tmp_path: Path) -> None:
    assert finished.export(learner, task, tmp_path / "model").code == 0
    assert not (tmp_path / "model" / "head.safetensors").exists()
    answers_as_recorded(finished, learner, task, tmp_path / "model")


@installed
@pytest.mark.parametrize(("learner", "task"), pairs(PEFT))
def test_peft_answers_as_recorded(finished: Exported, learner: str, task: str, tmp_path: Path) -> None:
    assert finished.export(learner, task, tmp_path / "adapter", "--format", "peft").code == 0
    assert not (tmp_path / "adapter" / "model.safetensors").exists()
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    name = Path(read_results(finished.out)["backbone"]["name"]).name
    assert config["base_model_name_or_path"] == "./base"
    readme = (tmp_path / "adapter" / "README.md").read_text()
    assert f"* backbone: {name}, content {load_id(finished)}\n" in readme
    answers_as_recorded(finished, learner, task, tmp_path / "adapter")


@installed
@pytest.mark.parametrize("model_type", ["bert", "roberta"])
def test_peft_at_the_pooler(model_type: str, tiny_tasks: Path, tmp_path: Path) -> None:
    """Of RoBERTa's classifier it is not in the encoder, so this is exported without."""
    learner = "peft:{peft_type=LORA,r=2,target_modules=[query,pooler.dense]}"
    backbone = save_backbone(tmp_path / "backbone", model_type)
    other = finished_run(tiny_tasks, backbone, tmp_path / "run", learner, ("rte",))
    answer = other.export(learner, "rte", tmp_path / "adapter", "--format", "peft", "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out)["classifier"] == (model_type == "bert")
    answers_as_recorded(other, learner, "rte", tmp_path / "adapter")


@pytest.fixture
def code_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers copies the code of exports here, not into the home directory."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "code"))


@pytest.mark.usefixtures("code_cache")
@pytest.mark.parametrize(("learner", "task"), pairs(MODULES))
def test_modules_answer_as_recorded(finished: Exported, learner: str, task: str, tmp_path: Path) -> None:
    form = ("--format", "modules") if learner in MERGED else ()
    answer = finished.export(learner, task, tmp_path / "model", *form, "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    document = json.loads(answer.out)
    assert (document["format"], document["classifier"], document["remote_code"]) == ("modules", True, True)
    answers_as_recorded(finished, learner, task, tmp_path / "model")


@installed
@pytest.mark.usefixtures("code_cache")
def test_with_mean_pooling(tiny_tasks: Path, tmp_path: Path) -> None:
    backbone = save_backbone(tmp_path / "backbone", pooling="mean")
    other = finished_run(tiny_tasks, backbone, tmp_path / "run", "lora:2,prompt:2", ("rte",))
    for learner, form in (("lora:2", "merged"), ("lora:2", "peft"), ("prompt:2", "peft")):
        to = tmp_path / f"{learner[:6]}-{form}"
        document = json.loads(other.export(learner, "rte", to, "--format", form, "--display", "json").out)
        assert document["classifier"] == document["remote_code"] == (learner != "prompt:2")
        answers_as_recorded(other, learner, "rte", to)


def test_the_files(finished: Exported, tmp_path: Path) -> None:
    to = tmp_path / "new" / "model"
    answer = finished.export("lora:2", "colours", to, "--display", "json")
    document = json.loads(answer.out)
    files = ["README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert document["files"] == files == sorted(path.name for path in to.iterdir())
    assert document["delta"] == deltas_of(finished.out)["lora:2", "colours"]
    assert document["score"] == read_results(finished.out)["learners"]["lora:2"]["R"][-1][0]
    config = json.loads((to / "config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["id2label"] == {"0": "label0", "1": "label1", "2": "label2"}
    assert config["label2id"] == {"label0": 0, "label1": 1, "label2": 2}
    assert config["problem_type"] == "single_label_classification"
    assert json.loads((to / "tokenizer_config.json").read_text())["model_max_length"] == 24
    assert "cannot" not in (to / "README.md").read_text()
    finished.export("lora:2", "stsb", tmp_path / "regression")
    config = json.loads((tmp_path / "regression" / "config.json").read_text())
    assert (config["problem_type"], config["id2label"]) == ("regression", {"0": "score"})


def test_a_sequential_learner_is_exported_as_it_now_is(finished: Exported, tmp_path: Path) -> None:
    """The body is that of the last task, in every folder; the heads are the tasks' own."""
    bodies = []
    for task in TASKS:
        finished.export("full:sequential", task, tmp_path / task)
        bodies.append(load_backbone(str(tmp_path / task)).weights)
    assert all(torch.equal(tensor, bodies[2][name]) for body in bodies for name, tensor in body.items())


def test_what_was_merged_can_be_a_backbone(finished: Exported, tiny_backbone: Path, tmp_path: Path) -> None:
    finished.export("lora:2", "rte", tmp_path / "model")
    before, after = load_backbone(str(tiny_backbone)), load_backbone(str(tmp_path / "model"))
    assert after.tokenizer_id == before.tokenizer_id
    changed = {name for name, tensor in after.weights.items() if not torch.equal(tensor, before.weights[name])}
    parts = [f"encoder.layer.{layer}.attention.self.{role}.weight" for layer in (0, 1) for role in ("query", "value")]
    assert changed == set(parts)


@pytest.mark.parametrize(
    ("learner", "form", "expected"),
    [
        ("adapter:4", "merged", ("is not linear in what it reads", "give --format modules")),
        ("prompt:3", "merged", ("a prompt adds tokens", "give --format modules")),
        ("adapter:4", "peft", ("peft has no format for this", "give --format modules")),
        ("adapterbias", "peft", ("peft has no format for this", "give --format merged")),
        ("nobert:words", "", ("found it reads the words of the texts, and no encoder", "give --to-dir")),
        ("majority", "", ("no format of another library holds this; found it trains no model", "give --to-dir")),
        ("lora:4", "merged", ("unknown learner of this run", "did you mean lora:2")),
    ],
)
def test_what_cannot_be_exported_says_what_can_be_done(
    finished: Exported, learner: str, form: str, expected: tuple[str, str], tmp_path: Path
) -> None:
    answer = finished.export(learner, "rte", tmp_path / "model", *(("--format", form) if form else ()))
    assert answer.code == 2
    assert len(answer.errors) == 1
    assert all(words in answer.err for words in expected)
    assert list(tmp_path.iterdir()) == []


def test_canonical_names_do_too_and_unknown_ones_are_told(finished: Exported, tmp_path: Path) -> None:
    assert finished.export("ia3:sharing=isolated", "rte", tmp_path / "model").code == 0
    answer = finished.export("ia3", "colour", tmp_path / "other")
    assert (answer.code, "did you mean colours" in answer.err) == (2, True)
    answer = call("export", str(tmp_path), "--learner", "ia3", "--task", "rte", "--to", str(tmp_path / "other"))
    assert (answer.code, "no run here" in answer.err) == (2, True)


def test_nothing_is_written_over(finished: Exported, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert finished.export("ia3", "rte", tmp_path / "empty").code == 0
    before = sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "empty").iterdir())
    (tmp_path / "file").write_text("mine")
    for taken in ("empty", "file"):
        answer = finished.export("ia3", "rte", tmp_path / taken)
        assert (answer.code, "not a new or empty folder" in answer.err) == (2, True)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "empty").iterdir()) == before
    assert (tmp_path / "file").read_text() == "mine"


def test_a_crash_leaves_no_folder(finished: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*given: object) -> str:
        raise OSError("no space left on device")

    monkeypatch.setattr(learners.export.readme, "readme", crash)
    with pytest.raises(OSError, match="no space"):
        finished.export("ia3", "rte", tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_without_peft_the_package_is_named(finished: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners.export.peft, "find_spec", lambda name: None)
    answer = finished.export("lora:2", "rte", tmp_path / "adapter", "--format", "peft")
    assert (answer.code, "pip install 'taskstream[peft]'" in answer.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_not_whole_is_not_exported(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = finished_run(tiny_tasks, tiny_backbone, tmp_path / "run", "lora:2", ("rte",))
    delta = given.out / "store" / "deltas" / f"{deltas_of(given.out)['lora:2', 'rte']}.safetensors"
    content = bytearray(delta.read_bytes())
    content[-1] ^= 1
    delta.write_bytes(content)
    answer = given.export("lora:2", "rte", tmp_path / "model")
    assert (answer.code, "a stored Delta changed" in answer.err) == (2, True)
    ledger = given.out / "ledger.jsonl"
    ledger.write_text(
        ledger.read_text().replace('"task": "rte"', '"task": "ret"', 1).replace('"task":"rte"', '"task":"ret"', 1)
    )
    answer = given.export("lora:2", "rte", tmp_path / "model")
    assert (answer.code, f"taskstream verify {given.out}" in answer.err) == (2, True)
    assert not (tmp_path / "model").exists()
