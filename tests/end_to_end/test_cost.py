"""`taskstream cost`: the papers' account from a config alone."""

from __future__ import annotations

import json
import re
import shutil
import socket
from pathlib import Path
from typing import NoReturn

import pytest

from tasks.suite import SUITES, TASKS
from tests.runs import Answer, call

LEARNERS = "full:isolated,full:sequential,topk:2,layernorm,adapter:64,adapterbias:share=alpha:l0=1e-4,head,majority"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> NoReturn:
        raise AssertionError("cost needs no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def cost(*more: str, backbone: str = "bert-large-uncased", suite: str = "glue9", learners: str = LEARNERS) -> Answer:
    return call("cost", "--backbone", backbone, "--suite", suite, "--learners", learners, *more)


@pytest.mark.parametrize(("suite", "copies"), [("glue9", 9.0), ("additional17", 17.0)])
def test_the_document_of_the_contract(suite: str, copies: float) -> None:
    answer = cost("--display", "json", suite=suite)
    assert (answer.code, answer.err) == (0, "")
    document = json.loads(answer.out)
    assert document.keys() == {"backbone", "tasks", "learners"}
    assert document["backbone"] == {
        "name": "bert-large-uncased",
        "parameters": 335_141_888,
        "encoder_parameters": 302_309_376,
    }
    assert document["tasks"] == len(SUITES[suite])
    assert list(document["learners"]) == LEARNERS.split(",")
    for row in document["learners"].values():
        assert row.keys() == {
            "parameters_per_task",
            "head_parameters",
            "growth",
            "growth_without_heads",
            "share_of_model",
            "share_of_encoder",
        }
        assert list(row["head_parameters"]) == list(SUITES[suite])
    assert document["learners"]["full:isolated"]["growth_without_heads"] == copies
    assert document["learners"]["full:sequential"]["growth_without_heads"] == 1.0
    adapters = document["learners"]["adapter:64"]
    assert adapters["parameters_per_task"] == 6_444_032  # methods: 6,343,680 of adapters, 100,352 of norms
    assert adapters["growth_without_heads"] == pytest.approx(1 + copies * 6_444_032 / 335_141_888, rel=1e-12)


@pytest.mark.parametrize("width", [80, 120])
def test_numbers_of_the_table_stay_on_one_line(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    answer = cost("--display", "plain")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert max(map(len, lines)) <= width
    document = json.loads(cost("--display", "json").out)
    for row in document["learners"].values():
        numbers = [
            f"{row['parameters_per_task']:,}",
            f"{100 * row['share_of_model']:.3f}",
            f"{100 * row['share_of_encoder']:.3f}",
            f"{335.141888 * row['growth_without_heads']:,.1f}M",
            f"{row['growth_without_heads']:.3f}x",
            f"{row['growth']:.3f}x",
        ]
        pattern = r"\s+".join(map(re.escape, numbers))
        assert any(re.search(pattern + r"\s*$", line) for line in lines), numbers
    assert "9.000x" in answer.out
    assert "335,141,888" in answer.out


def test_any_list_of_tasks_and_nothing_shown() -> None:
    document = json.loads(cost("--display", "json", suite="cola,stsb,newsgroups20", learners="head").out)
    heads = {name: TASKS[name].outputs * 1_025 for name in ("cola", "stsb", "newsgroups20")}
    assert document["learners"]["head"]["head_parameters"] == heads
    answer = cost("--display", "none")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_a_folder_without_weights(tiny_backbone: Path, tmp_path: Path) -> None:
    shutil.copy(tiny_backbone / "config.json", tmp_path)
    document = json.loads(cost("--display", "json", backbone=str(tmp_path), learners="full:isolated,topk:1").out)
    assert document["backbone"]["parameters"] == 6_032
    layer = 4 * (16**2 + 16) + 4 * 16 + 2 * 16 * 32 + 32 + 16
    assert document["learners"]["topk:1"]["parameters_per_task"] == layer == 2_224
    (tmp_path / "config.json").write_text("{")
    answer = cost(backbone=str(tmp_path))
    assert answer.code == 2
    assert "damaged config" in answer.err


def test_ranges_and_a_choice_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer = cost("--display", "plain", learners="adapter:8/64/256,full:isolated")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert max(map(len, lines)) <= 80
    first = next(at for at, line in enumerate(lines) if "adapter:8/64/256" in line)
    assert re.search(r"936,320 +0\.279 +0\.310 +343\.6M +1\.025x +1\.025x", lines[first])
    assert re.search(r"^ +25,327,616 +7\.557 +8\.378 +563\.1M +1\.680x +1\.680x", lines[first + 1])
    assert "the least and the most" in " ".join(answer.out.split())
    sizes = "cola=64,sst2=256,mrpc=64,stsb=8,qqp=256,mnli_m=256,mnli_mm=64,qnli=64,rte=8"
    answer = cost("--display", "plain", "--chosen", sizes, learners="adapter:8/64/256")
    assert re.search(r"11,514,624 +3\.436 +3\.809 +438\.8M +1\.309x +1\.309x", answer.out)
    assert "means over the tasks" in " ".join(answer.out.split())
    wrong = cost("--chosen", sizes.replace("cola=64", "cola=65"), learners="adapter:8/64/256")
    assert wrong.code == 2
    assert "unknown alternative '65'" in wrong.err


def test_the_backbone_has_the_default_of_python() -> None:
    answer = call("cost", "--suite", "glue9", "--learners", "head", "--display", "json")
    assert json.loads(answer.out)["backbone"]["name"] == "embedded"
