"""`taskstream export --to-dir`: cards that the hub's own library reads, and models that answer as the run recorded."""

from __future__ import annotations

import getpass
import json
import re
import socket
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import DatasetCard, EvalResult, ModelCard

import stream.hub.run_deltas
from stream import run
from stream.hub import load_model, load_models
from stream.hub.card import METRICS, model_card
from stream.hub.delta_record import as_record
from stream.hub.manifest import published_at
from stream.storage.learner_folder import folder_name
from tasks.content import content_id
from tasks.encoded import EncodedTask, open_encoded
from tasks.errors import InputError
from tasks.sources import open_source
from tests.loopback import COMMIT
from tests.runs import Answer, call, events_of, read_results, tiny_settings

TASKS = ("colours", "rte", "stsb")
FOLDERS = {
    "full:sequential": "full-sequential",
    "adapterbias:l0=1e-2": "adapterbias-l0.1e_2",
    "adapter:4": "adapter-4",
    "majority": "majority",
    "nobert:ngrams:features=512": "nobert-ngrams-features.512",
}
EACH = [(learner, task) for learner in FOLDERS for task in TASKS]


@pytest.fixture(scope="module")
def finished(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shared") / "run"
    names = ",".join(FOLDERS)
    run(**tiny_settings(tiny_tasks, tiny_backbone, out, learners=names, suite=",".join(TASKS), evaluate="audited"))
    return out


def export(finished: Path, target: Path, *more: str) -> Answer:
    return call("export", str(finished), "--to-dir", str(target), *more)


@pytest.fixture(scope="module")
def shared(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("target") / "shared"
    answer = export(finished, target, "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    document = json.loads(answer.out)
    assert document["models"] == [f"models/{FOLDERS[learner]}/{task}" for learner, task in EACH]
    return target


def last_cell(finished: Path, learner: str, task: str) -> dict[str, Any]:
    rows = [*events_of(finished, "evaluate"), *events_of(finished, "audit")]
    return [cell for row in rows if row["learner"] == learner for cell in row["cells"] if cell["task"] == task][-1]


@pytest.mark.parametrize(("learner", "task"), EACH)
def test_a_model_answers_bit_for_bit(
    finished: Path, shared: Path, tiny_tasks: Path, tiny_backbone: Path, learner: str, task: str
) -> None:
    """Loaded, and given the test texts, it makes the logits whose content id the ledger has."""
    test = open_source(f"folder:{tiny_tasks}", {}).load(task).test
    model = load_model(shared / "models" / FOLDERS[learner] / task, backbone=str(tiny_backbone))
    logits = model.logits(test.text, test.text_b)
    cell = last_cell(finished, learner, task)
    assert content_id("logits", str(logits.shape), logits.tobytes()) == cell["logits"]
    assert model.record.certificate is not None
    assert model.record.certificate.logits == cell["logits"]
    answers = model.answers(test.text, test.text_b)
    if task == "stsb":
        assert answers == logits[:, 0].tolist()
    else:
        right = np.mean([answer == model.labels[target] for answer, target in zip(answers, test.target, strict=True)])
        assert right == pytest.approx(cell["score"])


def test_the_three_lines_of_the_card_run(shared: Path, tiny_backbone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for task, labels in (("colours", r"label[0-2]"), ("rte", r"label[01]")):
        folder = shared / "models" / "adapter-4" / task
        (program,) = re.findall(r"```python\n(.*?)\n```", (folder / "README.md").read_text(), re.DOTALL)
        assert len(program.splitlines()) == 3
        here = program.replace('"."', repr(str(folder))).replace(f"'{tiny_backbone.name}'", repr(str(tiny_backbone)))
        exec(here, {})
        assert re.fullmatch(rf"\['{labels}'\]\n", capsys.readouterr().out)


@pytest.mark.parametrize(("learner", "task"), EACH)
def test_a_model_card_is_one_that_the_hub_reads(finished: Path, shared: Path, learner: str, task: str) -> None:
    card = ModelCard.load(shared / "models" / FOLDERS[learner] / task / "README.md")
    results = read_results(finished)
    (evaluated,) = card.data.eval_results
    assert isinstance(evaluated, EvalResult)
    place = TASKS.index(task)
    assert evaluated.metric_value == results["learners"][learner]["R"][-1][place]
    assert evaluated.metric_type == METRICS[results["tasks"][task]["metric"]]
    assert (evaluated.dataset_type, evaluated.dataset_split) == (task, "test")
    assert (card.data.license, card.data.library_name) == ("unknown", "taskstream")
    assert card.data.base_model is None, "a folder is no repository"
    assert last_cell(finished, learner, task)["delta"] in card.content
    assert results["ledger"]["hash"] in card.content
    assert ("come from this one Delta" in card.content) == (learner != "full:sequential")


def test_the_results_are_a_data_set(finished: Path, shared: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    card = DatasetCard.load(shared / "results" / "README.md")
    assert [config["config_name"] for config in card.data.configs] == ["matrix", "metrics", "cost"]
    results = read_results(finished)
    matrix = load_dataset(str(shared / "results"), split="train", cache_dir=str(tmp_path)).to_list()
    assert len(matrix) == len(FOLDERS) * (len(TASKS) + 1) * len(TASKS)
    for row in matrix:
        learner, place = results["learners"][row["learner"]], TASKS.index(row["task"])
        assert row["score"] == learner["R"][row["arrival"]][place], "to the last bit"
        assert row["provenance"] == learner["provenance"][row["arrival"]][place]
        assert row["arrived"] == (TASKS[row["arrival"] - 1] if row["arrival"] else None)
    metrics = load_dataset(str(shared / "results"), "metrics", split="train", cache_dir=str(tmp_path)).to_list()
    found = {(row["learner"], row["metric"]): row["value"] for row in metrics}
    assert found["adapter:4", "average_accuracy"] == results["learners"]["adapter:4"]["metrics"]["average_accuracy"]
    assert found["adapter:4", "bwt_gem"] == 0
    cost = load_dataset(str(shared / "results"), "cost", split="train", cache_dir=str(tmp_path)).to_list()
    kept = results["learners"]["adapter:4"]["cost"]["trained_parameters_per_task"]
    assert {row["task"]: row["trained_parameters"] for row in cost if row["learner"] == "adapter:4"} == kept


def test_no_more_than_two_tasks_are_open_at_once(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each maps 15 files; the last is let go when the next is there."""
    opened: list[weakref.ref[EncodedTask]] = []

    def open_one(path: Path) -> EncodedTask:
        assert sum(task() is not None for task in opened) <= 1
        data = open_encoded(path)
        opened.append(weakref.ref(data))
        return data

    monkeypatch.setattr(stream.hub.run_deltas, "open_encoded", open_one)
    assert export(finished, tmp_path / "shared").code == 0
    assert len(opened) == len(TASKS), "and none twice"


def test_parameters_of_the_backbone_and_of_the_delta(finished: Path, shared: Path) -> None:
    of_backbone = read_results(finished)["backbone"]["parameters"]
    layer_norms = 5 * 2 * 16  # gain and bias, two a layer and one before
    for learner, changed in (("full:sequential", of_backbone), ("adapter:4", layer_norms)):
        record = json.loads((shared / "models" / FOLDERS[learner] / "rte" / "config.json").read_text())
        assert (record["backbone"]["parameters"], record["parameters"]["backbone"]) == (of_backbone, changed)
        card = model_card(as_record(record, "config.json"))
        assert f"{changed:,} new values for the {of_backbone:,} of the backbone" in card


def test_a_record_is_read_as_it_was_written_and_a_damaged_one_names_the_field(shared: Path) -> None:
    for path in (shared / "models").glob("*/*/config.json"):
        document = json.loads(path.read_text())
        assert json.dumps(as_record(document, str(path)).as_dict()) == json.dumps(document)
    del document["task"]["metric"]
    with pytest.raises(InputError, match="task/metric"):
        as_record(document, "config.json")


def test_nothing_of_the_machine_is_told(shared: Path, finished: Path, tiny_backbone: Path, tiny_tasks: Path) -> None:
    secrets = [str(finished), str(finished.parent), str(tiny_backbone.parent), str(tiny_tasks), str(Path.home())]
    names = [name for name in (getpass.getuser(), socket.gethostname()) if len(name) > 4]
    for file in (path for path in shared.rglob("*") if path.is_file()):
        content = file.read_bytes()
        for secret in [*secrets, *names]:
            assert secret.encode() not in content, f"{file.relative_to(shared)} tells {secret}"


def test_a_part_of_a_run(finished: Path, tmp_path: Path) -> None:
    answer = export(finished, tmp_path / "one", "--learner", "adapter:4", "--task", "rte", "--display", "json")
    assert json.loads(answer.out)["models"] == ["models/adapter-4/rte"]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["models", "results"]
    held = sorted(path.name for path in (tmp_path / "one" / "models" / "adapter-4" / "rte").iterdir())
    assert held == ["README.md", "config.json", "delta.safetensors"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--learner", "adapter:5"), ("unknown learner of this run", "did you mean adapter:4")),
        (("--task", "colour"), ("unknown task", "did you mean colours")),
        (("--format", "peft"), ("--to-dir", "give --to")),
        (("--to", "elsewhere"), ("two folders", "--to-dir")),
    ],
)
def test_what_cannot_be_says_so_and_writes_nothing(
    finished: Path, tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, str]
) -> None:
    answer = export(finished, tmp_path / "shared", *arguments)
    assert (answer.code, len(answer.errors)) == (2, 1)
    assert all(word in answer.err for word in words)
    assert list(tmp_path.iterdir()) == []


def test_one_folder_must_be_named_and_be_free(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    for arguments, words in (
        ((), "no folder to write to"),
        (("--to", str(tmp_path / "model"), "--learner", "adapter:4"), "expected --learner and --task"),
        (("--to-dir", str(tmp_path)), "not a new or empty folder"),
    ):
        answer = call("export", str(finished), *arguments)
        assert (answer.code, words in answer.err) == (2, True), answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_another_backbone_or_a_changed_delta_is_refused(shared: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    source = shared / "models" / "adapter-4" / "rte"
    with pytest.raises(InputError, match=r"not the backbone of this Delta; expected tiny-bert.*load_model"):
        load_model(source, backbone="embedded")
    for file in source.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    content = bytearray((tmp_path / "delta.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "delta.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="a stored Delta changed"):
        load_model(tmp_path, backbone=str(tiny_backbone))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(InputError, match="not a shared Delta of this version"):
        load_model(tmp_path)


def test_rows_that_are_none_of_the_task(shared: Path, tiny_backbone: Path) -> None:
    model = load_model(shared / "models" / "adapter-4" / "rte", backbone=str(tiny_backbone))
    for texts, texts_b, words in (
        ([], [], "found 0 texts"),
        (["a"], None, "expected texts and second texts"),
        (["a", "b"], ["a"], "2 texts and 1 second texts"),
    ):
        with pytest.raises(InputError, match=words):
            model.logits(texts, texts_b)


def test_a_bare_text_is_not_taken_for_a_list_of_texts(shared: Path, tiny_backbone: Path) -> None:
    model = load_model(shared / "models" / "adapter-4" / "colours", backbone=str(tiny_backbone))
    with pytest.raises(InputError, match="one text, not a list of texts; expected"):
        model.answers("red")


@pytest.mark.parametrize("origin", ["run", "shared"])
@pytest.mark.parametrize("learner", FOLDERS)
def test_many_tasks_on_one_backbone(
    finished: Path, shared: Path, tiny_tasks: Path, tiny_backbone: Path, learner: str, origin: str
) -> None:
    """From a run or an export: a batch of one task has the logits of the ledger, a mixed one nearly the same."""
    models = load_models(finished if origin == "run" else shared, learner, backbone=str(tiny_backbone))
    assert set(models.models) == set(TASKS)
    assert len({id(each.backbone) for each in models.models.values()}) == 1
    assert all(task in repr(models) and len(repr(models[task])) < 300 for task in TASKS)
    few = []
    for task in TASKS:
        test = open_source(f"folder:{tiny_tasks}", {}).load(task).test
        rows = [*zip(test.text, test.text_b, strict=True)] if test.text_b is not None else [*test.text]
        logits = np.stack(models.logits([(task, row) for row in rows]))
        cell = last_cell(finished, learner, task)
        assert content_id("logits", str(logits.shape), logits.tobytes()) == cell["logits"]
        few += [((task, row), own) for row, own in zip(rows[:3], logits[:3], strict=True)]
    few = few[::2] + few[1::2]  # no order by task
    for found, (_, own) in zip(models.logits([row for row, _ in few]), few, strict=True):
        np.testing.assert_allclose(found, own, atol=1e-4)
    rows = [row for row, _ in few]
    again = zip(rows, models.logits(rows), strict=True)
    assert models.answers(rows) == [models[task].answer(own) for (task, _), own in again]


def test_rows_that_no_model_can_answer(shared: Path, tiny_backbone: Path) -> None:
    models = load_models(shared / "models" / "adapter-4", backbone=str(tiny_backbone))
    assert models.answers([]) == []
    for rows, words in (
        ("colours", "not a list of rows; expected a list of rows such as"),
        ([("colours", "red"), ("rte",)], "row 1: not a row"),
        ([("colours", ("red", "blue"))], "row 0, task colours: wrong input for this task; expected texts only"),
        ([("rte", "red")], "expected texts and second texts"),
        ([("color", "red")], "unknown task 'color'; did you mean colours"),
    ):
        with pytest.raises(InputError, match=re.escape(words)):
            models.answers(rows)


def test_folders_that_do_not_say_which_deltas(
    finished: Path, shared: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    for folder, learner, words in (
        (finished, None, "Deltas of several learners"),
        (shared, None, "name one, such as learner="),
        (shared, "adapter:5", "unknown learner 'adapter:5'"),
        (tmp_path, None, "no shared Deltas and no run"),
    ):
        with pytest.raises(InputError, match=words):
            load_models(folder, learner, backbone=str(tiny_backbone))


def test_what_came_from_the_hub_is_named_as_there(shared: Path) -> None:
    """Backbone, data set, configuration and commit, in the metadata that the hub links by."""
    record = json.loads((shared / "models" / "adapter-4" / "rte" / "config.json").read_text())
    origin = published_at([f"hub nyu-mll/glue (rte) at commit {COMMIT}", "277 test rows without labels dropped"])
    assert origin == {"repository": "nyu-mll/glue", "configuration": "rte", "commit": COMMIT}
    record["task"] |= {"source": "hub", **origin}
    record["backbone"]["name"] = "minilm"
    data = ModelCard(model_card(as_record(record, "config.json"))).data
    assert (data.base_model, data.base_model_relation) == ("sentence-transformers/all-MiniLM-L6-v2", "adapter")
    assert data.datasets == ["nyu-mll/glue"]
    (evaluated,) = data.eval_results
    assert (evaluated.dataset_type, evaluated.dataset_config, evaluated.dataset_revision) == tuple(origin.values())
    record["backbone"] |= {"name": "some-one/tiny", "commit": COMMIT}
    card = ModelCard(model_card(as_record(record, "config.json")))
    assert card.data.base_model == "some-one/tiny"
    assert f"load_model(\".\", backbone='some-one/tiny@{COMMIT}')" in card.text, "never a newer one"
    assert f"* backbone: some-one/tiny@{COMMIT}, content id {record['backbone']['id']}" in card.text


def test_simulated_texts_are_not_taken_for_the_data_set_whose_form_they_have(shared: Path) -> None:
    record = json.loads((shared / "models" / "adapter-4" / "rte" / "config.json").read_text())
    record["task"]["source"], record["backbone"]["name"] = "simulated:seed=1", "embedded"
    card = ModelCard(model_card(as_record(record, "config.json")))
    assert (card.data.license, card.data.base_model) == ("mit", None)
    (evaluated,) = card.data.eval_results
    assert (evaluated.dataset_type, evaluated.dataset_name) == ("simulated-rte", "RTE, simulated")
    assert "# adapter:4 on RTE, simulated\n" in card.text
    assert "* backbone: the embedded backbone of taskstream, content" in card.text


def test_what_changes_all_weights_is_not_called_efficient(shared: Path) -> None:
    for learner, relation, tagged in (("full:sequential", "finetune", False), ("adapter:4", "adapter", True)):
        record = json.loads((shared / "models" / FOLDERS[learner] / "rte" / "config.json").read_text())
        record["backbone"]["name"] = "some-one/tiny"
        card = ModelCard(model_card(as_record(record, "config.json")))
        assert card.data.base_model_relation == relation
        assert ("parameter-efficient-fine-tuning" in card.data.tags) == tagged
        assert ("from learning one task of a continual stream" in card.text) == (learner == "adapter:4")


def test_how_it_was_trained(finished: Path, shared: Path) -> None:
    results = read_results(finished)
    settings = results["learners"]["adapter:4"]["training"]
    text = (shared / "models" / "adapter-4" / "rte" / "README.md").read_text()
    (fit,) = (x for x in events_of(finished, "fit") if (x["learner"], x["task"]) == ("adapter:4", "rte"))
    ran, best = len(fit["losses"]), fit["best"] + 1
    said = f"* training: {fit['examples'] // ran} rows per epoch, {ran} of at most {settings['epochs']} epochs, "
    assert f"{said}epoch {best} kept, batch size {settings['batch_size']}, peak learning rate " in text
    text = (shared / "models" / "majority" / "rte" / "README.md").read_text()
    assert f"* training: {results['tasks']['rte']['train']} rows\n" in text


def test_a_model_that_was_not_evaluated(shared: Path) -> None:
    record = json.loads((shared / "models" / "adapter-4" / "rte" / "config.json").read_text()) | {"certificate": None}
    card = ModelCard(model_card(as_record(record, "config.json")))
    assert card.data.eval_results is None
    assert "not evaluated" in card.text


def test_folders_are_names_that_the_hub_takes() -> None:
    from huggingface_hub.utils import validate_repo_id

    learners = ["lora:8", "lora-8", "adapterbias:share=alpha:l0=1e-4", "peft:{peft_type=OFT,r=[1,2]}", "x:" * 80, ":"]
    names = [*map(folder_name, learners)]
    assert len({name.lower() for name in names}) == len(learners)
    assert names[0] == "lora-8"
    for name in names:
        validate_repo_id(f"someone/{name}")
