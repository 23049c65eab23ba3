"""`taskstream list` and `taskstream show`: every name that is registered, on both displays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from learners.backbones.published import KNOWN_CONFIGS
from learners.specification.family import families
from stream.cli.list import LEARNERS_CAPTION, TASKS_CAPTION
from stream.config.protocol import protocols
from stream.results.metrics import metrics
from tasks.metrics import TASK_METRICS
from tasks.suite import TASKS
from tests.report.fake_results import make_results
from tests.runs import call

LISTED = {
    "tasks": list(TASKS),
    "learners": list(families()),
    "metrics": [*metrics(), *TASK_METRICS],
    "backbones": list(dict.fromkeys(("embedded", "minilm", *KNOWN_CONFIGS))),
    "protocols": list(protocols()),
}
OF_EACH_KIND = {task.kind: task.name for task in TASKS.values()}.values()
SAID = (LEARNERS_CAPTION, TASKS_CAPTION, "learner what it is paper depends")  # words of the lists that are no values
SHOWN = [
    *(("task", name) for name in sorted({*OF_EACH_KIND, *list(TASKS)[::4]})),
    *(("learner", example) for family in families().values() for example in family.examples),
    *(("metric", name) for name in (*metrics(), *TASK_METRICS)),
]


@pytest.mark.parametrize("what", LISTED)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_lists(monkeypatch: pytest.MonkeyPatch, what: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    answer = call("list", what, "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    rows = json.loads(answer.out)
    assert [row["name"] for row in rows] == LISTED[what]
    assert all(row.keys() == rows[0].keys() for row in rows)
    answer = call("list", what, "--display", "plain")
    assert (answer.code, answer.err) == (0, "")
    assert max(map(len, answer.out.splitlines())) <= width
    words = answer.out.split()
    assert [name for name in LISTED[what] if name not in words] == []
    values = [f"{value:,}" if isinstance(value, int) else str(value) for row in rows for value in row.values()]
    known = {word.strip(",;") for word in " ".join([*values, *rows[0], *SAID]).split()}
    assert [word for word in words if word.strip(",;") not in known] == [], "no word is broken"


def test_every_family_is_one_line_with_its_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = {line.split()[0]: line for line in call("list", "learners").out.splitlines()}
    layers, d, ffn, r, m = 6, 128, 512, 8, 64
    norms, bottlenecks = (2 * layers + 1) * 2 * d, 2 * layers * (2 * d * m + d + m)
    counts = {"lora": layers * 2 * 2 * d * r, "ia3": layers * (2 * d + ffn), "layernorm": norms, "head": 0,
              "adapter": norms + bottlenecks, "full": 2_246_912}  # fmt: skip
    for name, family in families().items():
        assert lines[name].rstrip().endswith(f"  {family.title}")
        if name in counts:
            assert lines[name].split()[1] == f"{counts[name]:,}"


def test_runs(tmp_path: Path) -> None:
    assert json.loads(call("list", "runs", str(tmp_path), "--display", "json").out) == []
    assert " ".join(call("list", "runs", str(tmp_path)).out.split()) == f"no runs in {tmp_path}"
    for name, arrivals in (("b", 3), ("deep/a", 1)):
        (tmp_path / name).mkdir(parents=True)
        document = make_results(["cola", "sst2", "rte"], ["head", "adapter:64"], arrivals)
        if name == "b":
            document["learners"]["head"]["failures"] = [{"task": "rte", "step": 3, "reason": "the loss is nan"}]
        (tmp_path / name / "results.json").write_text(json.dumps(document))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "results.json").write_text("[]")  # of another program
    rows = json.loads(call("list", "runs", str(tmp_path), "--display", "json").out)
    found = {Path(row["run"]).relative_to(tmp_path).as_posix(): row["arrivals"] for row in rows}
    assert found == {"b": "3/3, failed: 1", "deep/a": "1/3"}
    assert "3/3" in call("list", "runs", str(tmp_path)).out
    assert call("list", "runs", str(tmp_path / "nowhere")).code == 0


@pytest.mark.parametrize(("what", "name"), SHOWN, ids=lambda value: str(value))
def test_shows(monkeypatch: pytest.MonkeyPatch, what: str, name: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer = call("show", what, name, "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    document = json.loads(answer.out)
    answer = call("show", what, name, "--display", "plain")
    assert (answer.code, answer.err) == (0, "")
    assert max(map(len, answer.out.splitlines())) <= 80
    if what == "task":
        assert (document["name"], document["kind"]) == (name, TASKS[name].kind)
        assert TASKS[name].title in " ".join(answer.out.split())
    if what == "metric":
        assert {"name", "title", "formula", "citation", "range", "direction", "empty_cells"} == document.keys()
        assert document["name"] == name
    if what == "learner":
        family = families()[name.split(":")[0]]
        assert document["citation"] == family.citation
        assert document["options"].keys() == {option.name for option in family.options}
        assert all(option.name in answer.out for option in family.options)
        assert document["learner"].split(":")[0] == family.name


def test_a_join_shows_the_options_of_each_part() -> None:
    document = json.loads(
        call("show", "learner", "prefix:4+lora:2+parallel+parallel:where=attention", "--display", "json").out
    )
    parts = [families()[name] for name in ("prefix", "lora", "parallel")]
    assert list(document["options"]) == [f"{part.name}:{option.name}" for part in parts for option in part.options]
    assert document["title"] == "prefix tuning + LoRA + parallel adapters"


def test_it_shows_yes_and_no_as_they_are_written() -> None:
    for name in ("adapter", "adapterbias+adapter", "topk:1:dropout=no"):
        assert not {"True", "False"} & set(
            call("show", "learner", name, "--display", "plain").out.replace("[", " ").replace("]", " ").split()
        )
    assert "[yes]" in json.loads(call("show", "learner", "adapter", "--display", "json").out)["options"]["norms"]
    assert "dropout: no" in call("show", "learner", "topk:1:dropout=no", "--display", "plain").out


def test_it_shows_what_tasks_have_in_common() -> None:
    shown = json.loads(call("show", "learner", "lora:2:frozen-shared+ia3:frozen-shared", "--display", "json").out)
    sites = ("added.ia3.attention.key", "added.ia3.attention.value", "added.ia3.ffn.intermediate")
    expected = [f"{site}.*.factor" for site in sites] + [
        f"added.lora.attention.{role}.*.A" for role in ("query", "value")
    ]
    assert shown["common_to_tasks"] == expected
    layers, d, ffn = 6, 128, 512
    assert shown["parameters"]["of these common to tasks"] == layers * (2 * d + ffn + 2 * 2 * d)
    assert json.loads(call("show", "learner", "lora:2", "--display", "json").out)["common_to_tasks"] == []


def test_it_shows_whether_it_merges() -> None:
    def merges(name: str, backbone: str = "embedded") -> str:
        shown = json.loads(call("show", "learner", name, "--backbone", backbone, "--display", "json").out)
        return str(shown["merges"])

    assert merges("adapterbias").startswith("yes")
    assert merges("adapter").startswith("no: adapter.attention is not linear")
    assert "no bias to add it to" in merges("adapterbias", "ModernBERT-base")


def test_a_learner_with_alternatives_lists_them_with_ranges() -> None:
    name = "adapter:8/64:learning_rate=3e-4/3e-3:restarts=2"
    shown = json.loads(call("show", "learner", name, "--display", "json").out)
    assert shown["alternatives"] == [f"adapter:{m}:learning_rate={rate}" for m in (8, 64) for rate in ("3e-4", "3e-3")]
    assert shown["search"] == {"select": "grid", "scope": "task", "restarts": 2}
    sizes = [
        json.loads(call("show", "learner", f"adapter:{m}", "--display", "json").out)["parameters"]["a task"]
        for m in (8, 64)
    ]
    assert shown["parameters"]["a task"] == sizes
    assert shown["training"]["learning_rate"] == [3e-4, 3e-3]
    text = " ".join(call("show", "learner", name, "--display", "plain").out.split())
    assert f"a task: {sizes[0]:,} to {sizes[1]:,}" in text
    assert "m = 64" in text
    assert "alternatives" not in json.loads(call("show", "learner", "adapter:8", "--display", "json").out)
