"""`taskstream run --source hub --backbone ID` as a user starts it: from a hub on this machine, then without one."""

from __future__ import annotations

import json
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import ModelCard

from tests.hub_data import dataset_files
from tests.loopback import COMMIT, Repository, asking, serve
from tests.runs import Answer, as_arguments, read_results, tiny_settings
from tests.worlds import save_backbone

MODEL, NEWER = "a" * 40, "b" * 40
LORA = ("--learner", "lora:2", "--task", "cola", "--format")
Answers = tuple[Path, dict[str, Answer], dict[str, Any]]
WORDS = ("the red fox", "a blue bird")


def repositories(backbone: Path) -> list[Repository]:
    """GLUE's RTE and CoLA with a few rows, as named and typed there, and a tiny BERT."""
    labels = {"class_label": {"names": {"0": "entailment", "1": "not_entailment"}}}
    configurations = {}
    for name, columns in (("cola", ("sentence",)), ("rte", ("sentence1", "sentence2"))):
        features = [{"name": column, "dtype": "string"} for column in columns] + [{"name": "label", "dtype": labels}]
        splits = {
            split: {column: [f"{WORDS[i % 2]} {column} {split} {i}" for i in range(rows)] for column in columns}
            | {"label": [-1 if split == "test" else i % 2 for i in range(rows)]}
            for split, rows in (("train", 40), ("validation", 12), ("test", 8))
        }
        configurations[name] = (features, splits)
    files = {path.name: path.read_bytes() for path in backbone.iterdir() if path.is_file()}
    return [
        Repository("datasets", "nyu-mll/glue", dataset_files(configurations)),
        Repository("models", "some-one/tiny", files | {"pytorch_model.bin": b"never asked for"}, MODEL),
        Repository("models", "some-one/pickled", {"config.json": files["config.json"], "pytorch_model.bin": b""}),
    ]


def logits_of(folder: Path) -> str:
    """The program of an exported model's README, on two texts; the answer is its logits."""
    (program,) = re.findall(r"```python\n(.*?)\n```", (folder / "README.md").read_text(), re.DOTALL)
    here = program.replace('folder = "."', f"folder = {str(folder)!r}").replace('["..."]', repr([*WORDS]))
    return f"{here}\nanswer = logits.tolist()"


CALL = """
from tests.runs import call
def answer(*arguments):
    if arguments[0] != "python":
        return vars(call(*arguments))
    space = {}
    exec(arguments[1], space)
    return space["answer"]
"""
FROM_THE_HUB = """
from datasets import load_dataset
from huggingface_hub import snapshot_download
from stream.hub import load_model
model = load_model(snapshot_download("me/cola"))
matrix = load_dataset("me/results", "matrix", split="train")
answer = [model.answers(["the red fox", "a blue bird"]), model.backbone.commit, matrix["task"][:2], [*matrix["score"]]]
"""
FETCHED_AGAIN = """
from huggingface_hub import snapshot_download
answer = snapshot_download("some-one/tiny")
"""


@pytest.fixture(scope="module")
def answers(tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What the command says while there is a hub, when another commit is the newest there, and when it is gone."""
    folder = tmp_path_factory.mktemp("hub")
    given = {"source": "hub", "backbone": "some-one/tiny", "suite": "cola,rte", "display": "none"}
    pinned = {"source": f"hub:nyu-mll/glue@{COMMIT}", "backbone": f"some-one/tiny@{MODEL}"}
    environment = {"TASKSTREAM_CACHE": str(folder / "encoded")}
    with (
        serve(*repositories(tiny_backbone)) as hub,
        asking(hub, folder / "home", CALL, **environment) as ask,
    ):

        def taskstream(out: str, **settings: str) -> Answer:
            options = tiny_settings(folder, folder, folder / out, **given | settings)
            return Answer(**ask("run", *as_arguments(options)))

        found = {
            "online": taskstream("online", learners="head,lora:2"),
            "pickled": taskstream("pickled", backbone="some-one/pickled"),
        }
        assert not [request for request in hub.asked if request.endswith(".bin")], "pickles are not even asked for"
        found["shared"] = Answer(**ask("export", str(folder / "online"), "--to-dir", str(folder / "shared")))
        for kind, name, place in (("models", "cola", "models/head/cola"), ("datasets", "results", "results")):
            files = {path.name: path.read_bytes() for path in (folder / "shared" / place).iterdir()}
            hub.repositories.append(Repository(kind, f"me/{name}", files))
        read = {"shared": ask("python", FROM_THE_HUB)}
        files = {path.name: path.read_bytes() for path in save_backbone(folder / "newer", seed=1).iterdir()}
        next(each for each in hub.repositories if each.commit == MODEL).names = ()
        hub.repositories.insert(0, Repository("models", "some-one/tiny", files, NEWER))
        assert Path(ask("python", FETCHED_AGAIN)).name == NEWER
        for form in ("merged", "peft") if find_spec("peft") else ("merged",):
            found[form] = Answer(**ask("export", str(folder / "online"), *LORA, form, "--to", str(folder / form)))
            read[form] = ask("python", logits_of(folder / form)) if found[form].code == 0 else None
        hub.stop()
        found["verified"] = Answer(**ask("verify", str(folder / "online"), "--rerun", "all"))
        shutil.rmtree(folder / "encoded")  # so that the caches of the libraries must do
        found["gone"] = taskstream("gone", **pinned)
        found["no model"] = taskstream("no-model", backbone="some-one/other")
        found["no data"] = taskstream("no-data", suite="sst2,sms_spam")
    return folder, found, read


def test_from_the_hub_with_the_commits_recorded(answers: Answers) -> None:
    folder, found, _ = answers
    assert found["online"].code == 0, found["online"].err
    results = read_results(folder / "online")
    assert (results["backbone"]["name"], results["backbone"]["commit"]) == ("some-one/tiny", MODEL)
    for task in ("cola", "rte"):
        assert results["tasks"][task]["notes"][0] == f"hub nyu-mll/glue ({task}) at commit {COMMIT}"
        assert results["tasks"][task]["test"] == 12, "validation, as the test rows have no labels"


def test_from_the_caches_when_the_hub_is_gone(answers: Answers) -> None:
    """Named by their commits, which another user would do to have the same."""
    folder, found, _ = answers
    assert found["gone"].code == 0, found["gone"].err
    online, gone = (read_results(folder / out) for out in ("online", "gone"))
    assert gone["backbone"]["commit"] == MODEL
    assert gone["learners"]["head"]["R"] == online["learners"]["head"]["R"]
    for name in ("id", "commit"):
        assert gone["backbone"][name] == online["backbone"][name]
    assert {task: about["data_id"] for task, about in gone["tasks"].items()} == {
        task: about["data_id"] for task, about in online["tasks"].items()
    }


@pytest.mark.parametrize(
    ("case", "lines", "words"),
    [
        ("no model", 1, ("--backbone some-one/other", "the hub cannot be reached", "give a folder")),
        ("no data", 2, ("hub ", "the hub cannot be reached", "use folder:DIR")),
        ("pickled", 1, ("--backbone some-one/pickled", "pickled weights (.bin) are never loaded", "refs/pr/N")),
    ],
)
def test_what_is_not_there_is_a_line_each(answers: Answers, case: str, lines: int, words: tuple[str, ...]) -> None:
    answer = answers[1][case]
    assert (answer.code, answer.out) == (2, "")
    errors = [line for line in answer.errors if line.startswith("error: ")]
    assert len(errors) == lines, answer.err
    assert all(word in error for word in words for error in errors)
    assert "Traceback" not in answer.err
    assert "Retry" not in answer.err, "the clients were not left to find out for themselves, which takes 23 s"


def test_what_was_learned_goes_to_the_hub_and_comes_back(answers: Answers) -> None:
    """Uploaded as the files are, and read in three lines: the model puts itself on the backbone's very commit."""
    folder, found, read = answers
    labels, commit, tasks, scores = read["shared"]
    assert found["shared"].code == 0, found["shared"].err
    assert set(labels) <= {"entailment", "not_entailment"}
    assert (commit, tasks) == (MODEL, ["cola", "rte"])
    learners = read_results(folder / "online")["learners"].values()
    assert scores == [score for learner in learners for row in learner["R"] for score in row]
    data = ModelCard.load(folder / "shared" / "models" / "head" / "rte" / "README.md").data
    assert (data.base_model, data.datasets) == ("some-one/tiny", ["nyu-mll/glue"])
    (evaluated,) = data.eval_results
    assert (evaluated.dataset_config, evaluated.dataset_revision) == ("rte", COMMIT)


@pytest.mark.skipif(find_spec("peft") is None, reason="peft is not installed: pip install 'taskstream[peft]'")
def test_what_is_exported_is_on_the_commit_of_the_run_though_the_hub_has_a_newer_one(answers: Answers) -> None:
    """The adapter's README loads the encoder from the hub; what was merged needs none."""
    folder, found, read = answers
    assert [found[form].code for form in ("merged", "peft")] == [0, 0], found["merged"].err + found["peft"].err
    assert np.asarray(read["peft"]) == pytest.approx(np.asarray(read["merged"]), abs=1e-6)
    config = json.loads((folder / "peft" / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("some-one/tiny", MODEL)
    assert f"* backbone: some-one/tiny@{MODEL}, content" in (folder / "merged" / "README.md").read_text()


def test_a_run_from_the_hub_is_verified_without_it(answers: Answers) -> None:
    """On the commit that it recorded: of the branch, the caches now have a newer one."""
    verified = answers[1]["verified"]
    assert verified.code == 0, verified.out + verified.err
    assert "PASS" in verified.out
    assert "not here" not in verified.out, "the backbone's files lie in the cache"
